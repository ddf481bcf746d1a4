import type { Tensor } from '@tensorflow/tfjs-core';
import type { NLLLossOptions } from '../contract/options';
import { NLL_LOSS_OPTIONS, nllLoss } from '../functional/nll-loss';
import { WeightedLoss } from './weighted-loss';

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
export class NLLLoss extends WeightedLoss<NLLLossOptions> {
  constructor(options: NLLLossOptions = {}) {
    super('NLLLoss', options, NLL_LOSS_OPTIONS);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss(input, target, this.callOptions());
  }

  static fromConfig(config: NLLLossOptions): NLLLoss {
    return new NLLLoss(config);
  }
}
