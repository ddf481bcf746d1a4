import { reshape, slice, type Tensor, tensor1d, tidy, util } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { LinearCrossEntropyOptions, LossOf, LossWithStats, Reduction } from '../contract/options';
import { checkLabels, linearCrossEntropyOp, sliceTarget } from '../ops/linear-cross-entropy';
import { checkFloat, checkIndexTarget, checkProbabilityTarget, checkTensor, weightTensor } from './checks';
import { named } from './named';
import { readLinearOptions } from './read-options';

/**
 * The cross-entropy of logits that a linear layer makes, a chunk of them in memory at a time: for large vocabularies.
 *
 * ```text
 * logits = input linearWeight^T + linearBias
 * loss   = crossEntropy(logits, target, options)
 * ```
 *
 * Formula of the loss, options and edge cases are those of {@link crossEntropy}.
 *
 * Rows go through in chunks (`batchChunkSize`). Under a gradient those of input, weight and bias are made along with the loss, a
 * chunk's gradient written over its logits: beside these three there is one chunk of logits on cpu and wasm, two on GPUs, with
 * two more copies of the weight's gradient, and up to five on tensorflow. With `reduction: 'none'` the chunks are gone through
 * once more for the gradient. Ignored rows are dropped before the projection, and contribute exactly 0 whatever the input holds there; on GPU
 * backends they can be dropped only where the targets' values are still known on the host, as those of a new tensor are: asking
 * would wait for the device.
 *
 * Differentiable to any order by `input`, `linearWeight` and `linearBias`, and by probability targets and their class
 * weights. Derivatives of the gradient and those by the target cannot be had in chunks: they are taken of all logits at a time.
 *
 * @param input float32: `[D]`, `[N, D]`, or `[N, T, D]` for sequences.
 * @param linearWeight float32: `[C, D]`, or `[C, d1, ..., dK, D]` for several targets a row of `[N, D]`.
 * @param target Class indices, int32: `[]`, `[N]`, `[N, T]` or `[N, d1, ..., dK]`; or class probabilities, float32: `[C]`,
 *     `[N, C]`, `[N, T, C]` or `[N, C, d1, ..., dK]`.
 * @param options See {@link LinearCrossEntropyOptions}. An `ignoreIndex` other than the default is an error where the target
 *     holds probabilities.
 * @returns A scalar in nats; with `reduction: 'none'` one loss a target, `[N, T - shift]` for sequences.
 * @throws RangeError and TypeError as {@link crossEntropy} does.
 * @throws Error for shapes of `input`, `linearWeight`, `linearBias` and `target` that do not fit, a `shift` without sequences, and
 *     an `ignoreIndex` with probabilities.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { linearCrossEntropy } from 'tfjs-cross-entropy';
 *
 * const hidden = tf.tensor2d([[1, 0], [0, 2]]);
 * const linearWeight = tf.tensor2d([[2, 0], [1, 0], [0, 1.5]]);
 * const target = tf.tensor1d([0, 2], 'int32');
 * linearCrossEntropy(hidden, linearWeight, target).print(); // 0.2513
 * ```
 *
 * @see {@link crossEntropy} for logits that are there anyway.
 * @see {@link LinearCrossEntropyLoss}, which owns weight and bias.
 * @see [torch.nn.functional.linear_cross_entropy](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear_cross_entropy.html),
 *     whose semantics these are; `[N, T, D]` and `shift` are ours.
 */
export function linearCrossEntropy<R extends Reduction = 'mean', T extends AnyTensor = Tensor>(
  input: T,
  linearWeight: AnyTensor,
  target: AnyTensor,
  options: LinearCrossEntropyOptions<R> = {},
): LossOf<R, T> {
  return tidy(() => compute(input, linearWeight, target, options, 'linearCrossEntropy')[0]) as LossOf<R, T>;
}

/**
 * The loss as {@link linearCrossEntropy} gives it, and what accuracy is made of, chunk by chunk along with it: see
 * {@link crossEntropyWithStats}, whose stats these are. Not exported: {@link LinearCrossEntropyLoss} has it.
 */
export function linearCrossEntropyWithStats<R extends Reduction = 'mean', T extends AnyTensor = Tensor>(
  input: T,
  linearWeight: AnyTensor,
  target: AnyTensor,
  options: LinearCrossEntropyOptions<R> = {},
): LossWithStats<R, T> {
  return named(() => compute(input, linearWeight, target, options, 'forwardWithStats', true));
}

/** The loss, and `Stats` if they are wanted. */
function compute(
  input: AnyTensor,
  linearWeight: AnyTensor,
  target: AnyTensor,
  options: LinearCrossEntropyOptions,
  functionName: string,
  stats = false,
): Tensor[] {
  const { weight, linearBias, shift, batchChunkSize, ...attrs } = readLinearOptions(options, functionName);
  checkTensor(input, 'input');
  checkTensor(linearWeight, 'linearWeight');
  checkTensor(target, 'target');
  if (linearBias !== null) checkTensor(linearBias, 'linearBias');
  checkProjection(input, linearWeight, linearBias, target);
  if (shift > 0 && input.rank !== 3) {
    throw new Error(`Expected \`input\` to be of shape [N, T, D] where shift is ${shift}, got [${input.shape}].`);
  }
  const units = linearWeight.shape.slice(0, -1);
  const dim = input.rank - 1;
  const shape = [...input.shape.slice(0, dim), ...units];
  const logits = { shape, rank: shape.length };
  const isProbability = util.arraysEqual(shape, target.shape);
  if (isProbability) {
    if (attrs.ignoreIndex !== -100) {
      throw new Error('ignoreIndex cannot be specified when target contains probabilities');
    }
    checkProbabilityTarget(target, attrs.ignoreIndex);
  } else checkIndexTarget(logits, target, dim);
  for (const [name, x] of Object.entries({ input, linearWeight, linearBias })) {
    if (x) checkFloat(x, name, functionName);
  }
  const weights = weightTensor(weight, logits, dim, isProbability ? 'cross_entropy: ' : '');
  const t = shift > 0 ? sliceTarget(target, shift) : target;
  // Before anything is on the tape, where an error would leave it.
  if (!isProbability) checkLabels(t, units[0], attrs.ignoreIndex);
  const x = shift > 0 ? slice(input, 0, [-1, t.shape[1]!]) : input;
  const positions = x.shape.slice(0, dim);
  const rows = util.sizeFromShape(positions);
  const all = linearCrossEntropyOp(
    {
      input: x.rank === 2 ? x : reshape(x, [rows, x.shape[dim]!]),
      linearWeight,
      linearBias: linearBias ?? tensor1d([]),
      target: reshape(t, [rows, ...t.shape.slice(dim)]),
      weight: weights,
    },
    { ...attrs, batchChunkSize, stats, target: isProbability ? 'probabilities' : 'indices' },
  );
  return attrs.reduction === 'none' ? all.map((x) => reshape(x, [...positions, ...units.slice(1)])) : all;
}

/** The shapes that the logits are made of, as PyTorch checks them. */
function checkProjection(input: Tensor, linearWeight: Tensor, linearBias: Tensor | null, target: Tensor): void {
  const shape = linearWeight.shape;
  const [units, features] = [shape.slice(0, -1), shape[shape.length - 1]];
  if (shape.length < 2) throw new Error(`expected linearWeight with dimensionality at least 2, got ${shape.length}`);
  const { rank } = input;
  const perSequence = [...input.shape.slice(0, 2), units[0]];
  const isSequence =
    rank === 3 && units.length === 1 && [2, 3].some((n) => util.arraysEqual(perSequence.slice(0, n), target.shape));
  if (rank !== 1 && rank !== 2 && !isSequence) {
    const fitting = ' For an input [N, T, D] linearWeight has to be [C, D], and the target [N, T] or [N, T, C].';
    throw new Error(`expected input with dimensionality 1 or 2, got ${rank}.${rank === 3 ? fitting : ''}`);
  }
  const got = input.shape[rank - 1];
  if (got !== features) {
    throw new Error(
      `expected equal input and linearWeight last dimensions (inFeatures), got ${got} and ${features}, respectively`,
    );
  }
  if (linearBias && !util.arraysEqual(linearBias.shape, units)) {
    throw new Error(`expected linearBias shape ${tuple(units)}, got ${tuple(linearBias.shape)}`);
  }
  if (rank === 1 && units.length > 1) {
    throw new Error(
      `K-dimensional loss defined by linearWeight shape ${tuple(shape)} requires batched input, (N, ${features}), got ` +
        `unbatched input with shape ${tuple(input.shape)}`,
    );
  }
}

/** As PyTorch writes shapes there. */
const tuple = (shape: number[]) => `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
