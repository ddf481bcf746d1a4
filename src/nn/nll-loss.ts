import type { Tensor } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { LossOf, NLLLossOptions, Reduction } from '../contract/options';
import { nllLoss } from '../functional/nll-loss';
import { NLL_LOSS_DEFAULTS, readOptions } from '../functional/read-options';
import { optionsOf, WeightedLoss } from './weighted-loss';

/**
 * `torch.nn.NLLLoss`: the negative log-likelihood of class indices under log-probabilities. Formula, shapes and
 * errors: `nllLoss`.
 *
 * @example
 * ```ts
 * const criterion = new NLLLoss({ ignoreIndex: 0 });
 * const logProbs = new LogSoftmax(1).forward(tf.tensor2d([[2, 1, 0], [0, 0, 3]]));
 * criterion.forward(logProbs, tf.tensor1d([0, 2], 'int32')).print(); // 0.0949
 * ```
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss<R extends Reduction = 'mean'> extends WeightedLoss<R> {
  constructor(options: NLLLossOptions<R> = {}) {
    super('NLLLoss', readOptions(options, NLL_LOSS_DEFAULTS, 'NLLLoss'));
  }

  forward<T extends AnyTensor = Tensor>(input: T, target: AnyTensor): LossOf<R, T> {
    return nllLoss(input, target, optionsOf(this));
  }
}
