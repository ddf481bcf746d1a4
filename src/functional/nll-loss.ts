import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { LossOf, NLLLossOptions, Reduction } from '../contract/options';
import { nllLossOp } from '../ops/nll-loss';
import { checkClassDim, checkFloat, checkIndexTarget, checkTensor, weightTensor } from './checks';
import { NLL_LOSS_DEFAULTS, readOptions } from './read-options';

/**
 * The negative log-likelihood of class indices under log-probabilities, in nats.
 *
 * With `w` the class weights (1 if absent) the loss of a row with label `t` is
 *
 * ```text
 * w[t] * -input[t],   0 where t = ignoreIndex
 * ```
 *
 * `'sum'` adds up the rows. `'mean'` divides their sum by the sum of `w[t]` over the rows that are not ignored. Only the
 * entries at the labels are looked at, and what is no log-probability is taken as it is: on logits or probabilities the result
 * means nothing, and may be negative. The gradient is `-w[t]` at the label, over that divisor, and 0 everywhere else.
 * Differentiable to any order by the input; not by the weights.
 *
 * @param input Log-probabilities, float32: `[C]`, `[N, C]` or `[N, C, d1, ..., dK]`; the class dimension is `options.dim`.
 * @param target Class indices, int32, of the input's shape without the class dimension.
 * @param options See {@link NLLLossOptions}.
 * @returns A scalar in nats; with `reduction: 'none'` a tensor of the target's shape. `NaN` for the mean of nothing (no rows,
 *     or all of them ignored; the gradient is 0 then).
 * @throws RangeError for an out-of-range label (on webgl and webgpu only while its value is still on the CPU, as that of a
 *     new tensor is until its first use; after that its row's loss is NaN), for an `ignoreIndex` outside of int32, and where
 *     the input has no dimension `dim`.
 * @throws TypeError for what is no tensor, a wrong dtype, an option that is not known or of a wrong type.
 * @throws Error for shapes or a weight length that do not fit together, and an unknown `reduction`. Nothing has been computed,
 *     and nothing leaks.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { logSoftmax, nllLoss } from 'tfjs-cross-entropy';
 *
 * const logProbs = logSoftmax(tf.tensor2d([[2, 1, 0], [0, 0, 3]]), 1);
 * const target = tf.tensor1d([0, 2], 'int32');
 * nllLoss(logProbs, target).print(); // 0.2513
 * nllLoss(logProbs, target, { reduction: 'none', weight: [1, 2, 3] }).print(); // [0.4076, 0.2848]
 * ```
 *
 * @see {@link crossEntropy} where there are logits: it takes one pass, and knows label smoothing and probabilities.
 * @see {@link NLLLoss} for a criterion that holds the options, and keeps class weights on the device.
 * @see {@link logSoftmax}, which makes log-probabilities of logits.
 * @see [torch.nn.functional.nll_loss](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html), whose
 *     semantics these are.
 */
export function nllLoss<R extends Reduction = 'mean', T extends AnyTensor = Tensor>(
  input: T,
  target: AnyTensor,
  options: NLLLossOptions<R> = {},
): LossOf<R, T> {
  const { weight, ignoreIndex, reduction, dim: givenDim } = readOptions(options, NLL_LOSS_DEFAULTS, 'nllLoss');
  checkTensor(input, 'input');
  checkTensor(target, 'target');
  const dim = checkClassDim(givenDim, input.rank);
  checkIndexTarget(input, target, dim);
  checkFloat(input, 'input', 'nllLoss');
  const loss = tidy(() => {
    const weights = weightTensor(weight, input, dim);
    return nllLossOp(
      { input, target, weight: weights },
      { dim, target: 'indices', ignoreIndex, reduction, labelSmoothing: 0 },
    )[0];
  });
  return loss as LossOf<R, T>;
}
