import { type Tensor, tidy, util } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { CrossEntropyOptions, LossOf, LossWithStats, Reduction } from '../contract/options';
import { lossAndStats } from '../ops/loss-and-stats';
import {
  checkClassDim,
  checkFloat,
  checkIndexTarget,
  checkProbabilityTarget,
  checkTensor,
  weightTensor,
} from './checks';
import { named } from './named';
import { CROSS_ENTROPY_DEFAULTS, readOptions } from './read-options';

/**
 * The cross-entropy between logits and a target, in nats: `logSoftmax` and `nllLoss` in one pass over the logits, without
 * the log-probabilities in between.
 *
 * With `p = softmax(input)` over the `C` classes, `w` the class weights (1 if absent) and `e = labelSmoothing`, the loss of a
 * row is
 *
 * ```text
 * index t:          (1 - e) * w[t] * -log p[t]
 *                     + (e / C) * sum_c w[c] * -log p[c],
 *                   0 where t is ignoreIndex
 * probabilities q:  sum_c ((1 - e) * q[c] + e / C) * w[c] * -log p[c]
 * ```
 *
 * `'sum'` adds up the rows. `'mean'` divides their sum by the sum of `w[t]` over the rows that are not ignored, smoothing or
 * not; with probabilities by the number of rows. The gradient by the logits is `p * sum(a) - a`, where `a[c]` is the factor of
 * `-log p[c]`: for a label without weights `p` less 1 at the label. It is found along with the value when one is wanted, and
 * is the only tensor of the input's size that is made (two on tensorflow with many classes). Differentiable to any
 * order by the logits, and by probability targets and their class weights.
 *
 * @param input Logits, float32: `[C]`, `[N, C]` or `[N, C, d1, ..., dK]`; the class dimension is `options.dim`. A class
 *     whose logit is -Infinity is masked: it has no part in the row.
 * @param target Class indices, int32, of the input's shape without the class dimension; or class probabilities, float32, of
 *     the input's shape, which need not sum to 1.
 * @param options See {@link CrossEntropyOptions}.
 * @returns A scalar in nats; with `reduction: 'none'` a tensor of the input's shape without the class dimension. `NaN` for
 *     the mean of nothing (no rows, or all of them ignored; the gradient is 0 then).
 * @throws RangeError for an out-of-range label (on webgl and webgpu only while its value is still on the CPU, as that of a
 *     new tensor is until its first use; after that its row's loss is NaN), for a `labelSmoothing` outside of [0, 1], for an
 *     `ignoreIndex` outside of int32, and where the input has no dimension `dim`.
 * @throws TypeError for what is no tensor, a wrong dtype, an option that is not known or of a wrong type.
 * @throws Error for shapes or a weight length that do not fit together, an `ignoreIndex` from 0 with probabilities, and an
 *     unknown `reduction`. Nothing has been computed, and nothing leaks.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { crossEntropy } from 'tfjs-cross-entropy';
 *
 * const logits = tf.tensor2d([[2, 1, 0], [0, 0, 3]]);
 * const target = tf.tensor1d([0, 2], 'int32');
 * crossEntropy(logits, target).print(); // 0.2513
 * crossEntropy(logits, target, { reduction: 'none', labelSmoothing: 0.1 }).print(); // [0.5076, 0.2949]
 * tf.grad((x: tf.Tensor) => crossEntropy(x, target))(logits).print(); // [[-0.1674, 0.1224, 0.045], [0.0226, 0.0226, -0.0453]]
 * ```
 *
 * @see {@link CrossEntropyLoss} for a criterion that holds the options, and keeps class weights on the device.
 * @see {@link nllLoss} where there are log-probabilities already; from logits it takes a pass and a tensor more.
 * @see `layersLoss` of `tfjs-cross-entropy/layers` for `model.compile`, where the arguments come in the other order.
 * @see [torch.nn.functional.cross_entropy](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html), whose semantics these are; the smoothing is that of
 *     [Szegedy et al., 2015](https://arxiv.org/abs/1512.00567).
 */
export function crossEntropy<R extends Reduction = 'mean', T extends AnyTensor = Tensor>(
  input: T,
  target: AnyTensor,
  options: CrossEntropyOptions<R> = {},
): LossOf<R, T> {
  return tidy(() => compute(input, target, options, 'crossEntropy')[0]) as LossOf<R, T>;
}

/**
 * The loss as {@link crossEntropy} gives it, and what accuracy is made of, from the same pass over the logits:
 *
 * ```text
 * correct = sum over rows that are not ignored of [x[t] == max_c x[c]]
 * count   = sum over rows that are not ignored of 1
 * ```
 *
 * A tie counts as right where the label is among the largest logits; a row that has no softmax (NaN or +Infinity in it, or
 * -Infinity alone) as wrong. With probability targets the label is the most probable class, any of them in a tie, which
 * takes a pass of its own. Both are float32 and constants to any derivative; to be summed over batches. The mean over
 * several batches is the sum of `loss * count` over that of `count`, without class weights.
 *
 * @param input Logits, float32: `[C]`, `[N, C]` or `[N, C, d1, ..., dK]`; the class dimension is `options.dim`.
 * @param target Class indices, int32, of the input's shape without the class dimension; or class probabilities, float32, of
 *     the input's shape.
 * @param options See {@link CrossEntropyOptions}.
 * @returns The loss, in nats, and numbers of rows: scalars, or with `reduction: 'none'` one value a row.
 * @throws RangeError, TypeError and Error as {@link crossEntropy} does.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { crossEntropyWithStats } from 'tfjs-cross-entropy';
 *
 * const logits = tf.tensor2d([[2, 1, 0], [0, 0, 3], [1, 0, 0]]);
 * const target = tf.tensor1d([0, 1, -100], 'int32');
 * const { loss, correct, count } = crossEntropyWithStats(logits, target);
 * loss.print(); // 1.7513
 * tf.div(correct, count).print(); // 0.5
 * ```
 *
 * @see {@link crossEntropy} where only the loss is wanted.
 * @see {@link CrossEntropyLoss.forwardWithStats} for a criterion that holds the options.
 */
export function crossEntropyWithStats<R extends Reduction = 'mean', T extends AnyTensor = Tensor>(
  input: T,
  target: AnyTensor,
  options: CrossEntropyOptions<R> = {},
): LossWithStats<R, T> {
  return named(() => compute(input, target, options, 'crossEntropyWithStats', true));
}

/** The loss, and `Stats` if they are wanted. */
function compute(
  input: AnyTensor,
  target: AnyTensor,
  options: CrossEntropyOptions,
  functionName: string,
  stats = false,
): Tensor[] {
  const read = readOptions(options, CROSS_ENTROPY_DEFAULTS, functionName);
  const { weight, ignoreIndex, reduction, labelSmoothing } = read;
  checkTensor(input, 'input');
  checkTensor(target, 'target');
  const isProbability = util.arraysEqual(input.shape, target.shape);
  if (isProbability) checkProbabilityTarget(target, ignoreIndex);
  const dim = checkClassDim(read.dim, input.rank);
  if (!isProbability) checkIndexTarget(input, target, dim);
  checkFloat(input, 'input', functionName);
  const weights = weightTensor(weight, input, dim, isProbability ? 'cross_entropy: ' : '');
  const attrs = {
    dim,
    target: isProbability ? 'probabilities' : 'indices',
    ignoreIndex,
    reduction,
    labelSmoothing,
    stats,
  } as const;
  return lossAndStats({ input, target, weight: weights }, attrs);
}
