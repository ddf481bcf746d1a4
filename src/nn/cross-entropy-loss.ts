import type { Tensor } from '@tensorflow/tfjs-core';
import type { CrossEntropyOptions } from '../contract/options';
import { checkLabelSmoothing } from '../functional/checks';
import { CROSS_ENTROPY_OPTIONS, crossEntropy } from '../functional/cross-entropy';
import { WeightedLoss } from './weighted-loss';

/**
 * `torch.nn.CrossEntropyLoss`: LogSoftmax and NLLLoss in one. Formula, shapes and errors: `crossEntropy`.
 *
 * @example
 * ```ts
 * const criterion = new CrossEntropyLoss({ weight: [1, 2, 1], labelSmoothing: 0.1 });
 * const logits = tf.tensor2d([[2, 1, 0], [0, 0, 3]]);
 * const target = tf.tensor1d([0, 2], 'int32');
 * criterion.forward(logits, target).print(); // 0.4763
 * criterion.dispose();
 * ```
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends WeightedLoss<CrossEntropyOptions> {
  readonly labelSmoothing: number;

  constructor(options: CrossEntropyOptions = {}) {
    super('CrossEntropyLoss', options, CROSS_ENTROPY_OPTIONS);
    const { labelSmoothing = 0 } = options;
    checkLabelSmoothing(labelSmoothing);
    this.labelSmoothing = labelSmoothing;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return crossEntropy(input, target, { ...this.callOptions(), labelSmoothing: this.labelSmoothing });
  }

  override getConfig() {
    return { ...super.getConfig(), labelSmoothing: this.labelSmoothing };
  }

  static fromConfig(config: CrossEntropyOptions): CrossEntropyLoss {
    return new CrossEntropyLoss(config);
  }
}
