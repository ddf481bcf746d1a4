import { type Scalar, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { NLLLossOptions } from '../contract/options';
import { nllLossOp } from '../ops/nll-loss';
import {
  checkClassDim,
  checkFloat,
  checkIgnoreIndex,
  checkIndexTarget,
  checkOptions,
  checkReduction,
  checkTensor,
  weightTensor,
} from './checks';

export const NLL_LOSS_OPTIONS = ['weight', 'ignoreIndex', 'reduction', 'dim'];

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
 *     finding out would wait for the device).
 * @throws TypeError for a wrong dtype, and Error for shapes or a weight length that do not fit together.
 *
 * @example
 * ```ts
 * const logProbs = logSoftmax(tf.tensor2d([[2, 1, 0], [0, 0, 3]]), 1);
 * nllLoss(logProbs, tf.tensor1d([0, 2], 'int32')).print(); // 0.2513
 * ```
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
 */
export function nllLoss(
  input: Tensor,
  target: Tensor,
  options: NLLLossOptions & { readonly reduction: 'none' },
): Tensor;
export function nllLoss(
  input: Tensor,
  target: Tensor,
  options?: NLLLossOptions & { readonly reduction?: 'mean' | 'sum' },
): Scalar;
export function nllLoss(input: Tensor, target: Tensor, options?: NLLLossOptions): Tensor;
export function nllLoss(input: Tensor, target: Tensor, options: NLLLossOptions = {}): Tensor {
  checkOptions(options, NLL_LOSS_OPTIONS, 'nllLoss');
  const { weight, ignoreIndex = -100, reduction = 'mean' } = options;
  checkReduction(reduction);
  checkIgnoreIndex(ignoreIndex);
  checkTensor(input, 'input');
  checkTensor(target, 'target');
  const dim = checkClassDim(options.dim, input.rank);
  checkIndexTarget(input, target, dim);
  checkFloat(input, 'input', 'nllLoss');
  return tidy(() => {
    const weights = weightTensor(weight, input, dim);
    const attrs = { dim, target: 'indices', ignoreIndex, reduction, labelSmoothing: 0 } as const;
    return nllLossOp({ input, target, weight: weights }, attrs);
  });
}
