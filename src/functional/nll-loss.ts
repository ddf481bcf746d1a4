import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { LossOf, NLLLossOptions, Reduction } from '../contract/options';
import { nllLossOp } from '../ops/nll-loss';
import { checkClassDim, checkFloat, checkIndexTarget, checkTensor, weightTensor } from './checks';
import { NLL_LOSS_DEFAULTS, readOptions } from './read-options';

/**
 * The negative log-likelihood of class indices under log-probabilities, e.g. those of `logSoftmax`.
 *
 * `loss = -w[t] * input[t]` for each row with label `t`, 0 for an ignored row; `'mean'` divides the sum by `sum w[t]`
 * over the rows that are not ignored. What is not a log-probability is taken as it is: on raw scores the result means
 * nothing, and may be negative.
 *
 * @param input Log-probabilities, float32: `[C]`, `[N, C]` or `[N, C, d1, ..., dK]`; the class dimension is
 *     `options.dim`.
 * @param target Class indices, int32, of the input's shape without the class dimension.
 * @param options See `NLLLossOptions`.
 * @returns A scalar in nats; with `reduction: 'none'` a tensor of the target's shape. `NaN` for the mean of nothing
 *     (no rows, or all of them ignored; the gradient is 0 then).
 * @throws RangeError where a target is no class and not `ignoreIndex` (on GPU backends that row's loss is NaN instead:
 *     finding out would wait for the device), and for an `ignoreIndex` outside of int32.
 * @throws TypeError for a wrong dtype or option, and Error for shapes or a weight length that do not fit together.
 *
 * @example
 * ```ts
 * const logProbs = logSoftmax(tf.tensor2d([[2, 1, 0], [0, 0, 3]]), 1);
 * nllLoss(logProbs, tf.tensor1d([0, 2], 'int32')).print(); // 0.2513
 * ```
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
 */
export function nllLoss<R extends Reduction = 'mean', T extends AnyTensor = Tensor>(
  input: T,
  target: AnyTensor,
  options: NLLLossOptions<R> = {},
): LossOf<R, T> {
  const { weight, ...attrs } = readOptions(options, NLL_LOSS_DEFAULTS, 'nllLoss');
  checkTensor(input, 'input');
  checkTensor(target, 'target');
  const dim = checkClassDim(attrs.dim, input.rank);
  checkIndexTarget(input, target, dim);
  checkFloat(input, 'input', 'nllLoss');
  const loss = tidy(() => {
    const weights = weightTensor(weight, input, dim);
    return nllLossOp({ input, target, weight: weights }, { ...attrs, dim, target: 'indices' })[0];
  });
  return loss as LossOf<R, T>;
}
