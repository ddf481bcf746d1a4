import { type Tensor, tidy, util } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { CrossEntropyOptions, LossOf, Reduction } from '../contract/options';
import { crossEntropyLossOp } from '../ops/cross-entropy-loss';
import {
  checkClassDim,
  checkFloat,
  checkIndexTarget,
  checkProbabilityTarget,
  checkTensor,
  weightTensor,
} from './checks';
import { CROSS_ENTROPY_DEFAULTS, readOptions } from './read-options';

/**
 * The cross-entropy between logits and a target: LogSoftmax and NLLLoss in one, without the probabilities in between.
 *
 * With `p = softmax(input)` over the classes, `w` the class weights (1 if absent), `e = labelSmoothing`:
 *
 * - class indices `t`: `loss = (1 - e) * w[t] * -log p[t] + (e / C) * sum_c w[c] * -log p[c]`, 0 for an ignored row;
 *   `'mean'` divides the sum by `sum w[t]` over the rows that are not ignored.
 * - class probabilities `T`: `loss = sum_c (T[c] * (1 - e) + e / C) * w[c] * -log p[c]`; `'mean'` divides by the number
 *   of rows.
 *
 * Differentiable to any order by the logits, and by probability targets.
 *
 * @param input Logits, float32: `[C]`, `[N, C]` or `[N, C, d1, ..., dK]`; the class dimension is `options.dim`.
 * @param target Class indices, int32, of the input's shape without the class dimension; or class probabilities,
 *     float32, of the input's shape.
 * @param options See `CrossEntropyOptions`.
 * @returns A scalar in nats; with `reduction: 'none'` a tensor of the input's shape without the class dimension. `NaN`
 *     for the mean of nothing (no rows, or all of them ignored; the gradient is 0 then).
 * @throws RangeError where a target is no class and not `ignoreIndex` (on GPU backends that row's loss is NaN instead:
 *     finding out would wait for the device), for a `labelSmoothing` outside of [0, 1], and for an `ignoreIndex` outside
 *     of int32.
 * @throws TypeError for a wrong dtype or option, and Error for shapes or a weight length that do not fit together.
 *
 * @example
 * ```ts
 * const logits = tf.tensor2d([[2, 1, 0], [0, 0, 3]]);
 * const target = tf.tensor1d([0, 2], 'int32');
 * crossEntropy(logits, target).print(); // 0.2513
 * crossEntropy(logits, target, { reduction: 'none', labelSmoothing: 0.1 }).print(); // [0.5076, 0.2949]
 * ```
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export function crossEntropy<R extends Reduction = 'mean', T extends AnyTensor = Tensor>(
  input: T,
  target: AnyTensor,
  options: CrossEntropyOptions<R> = {},
): LossOf<R, T> {
  const { weight, ...attrs } = readOptions(options, CROSS_ENTROPY_DEFAULTS, 'crossEntropy');
  checkTensor(input, 'input');
  checkTensor(target, 'target');
  const isProbability = util.arraysEqual(input.shape, target.shape);
  if (isProbability) checkProbabilityTarget(target, attrs.ignoreIndex);
  const dim = checkClassDim(attrs.dim, input.rank);
  if (!isProbability) checkIndexTarget(input, target, dim);
  checkFloat(input, 'input', 'crossEntropy');
  const loss = tidy(() => {
    const weights = weightTensor(weight, input, dim, isProbability ? 'cross_entropy: ' : '');
    const kind = isProbability ? 'probabilities' : 'indices';
    return crossEntropyLossOp({ input, target, weight: weights }, { ...attrs, dim, target: kind });
  });
  return loss as LossOf<R, T>;
}
