import type { Tensor } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { CrossEntropyOptions, LossOf, LossWithStats, Reduction } from '../contract/options';
import { crossEntropy, crossEntropyWithStats } from '../functional/cross-entropy';
import { CROSS_ENTROPY_DEFAULTS, readOptions } from '../functional/read-options';
import { optionsOf, WeightedLoss } from './weighted-loss';

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
export class CrossEntropyLoss<R extends Reduction = 'mean'> extends WeightedLoss<R> {
  readonly labelSmoothing: number;

  constructor(options: CrossEntropyOptions<R> = {}) {
    const read = readOptions(options, CROSS_ENTROPY_DEFAULTS, 'CrossEntropyLoss');
    super('CrossEntropyLoss', read);
    this.labelSmoothing = read.labelSmoothing;
  }

  forward<T extends AnyTensor = Tensor>(input: T, target: AnyTensor): LossOf<R, T> {
    return crossEntropy(input, target, allOptionsOf(this));
  }

  /**
   * The loss as `forward` gives it, and how many rows are right, and how many count, of the same pass: see
   * `crossEntropyWithStats`.
   *
   * @example
   * ```ts
   * const criterion = new CrossEntropyLoss();
   * const { correct } = criterion.forwardWithStats(tf.tensor2d([[2, 1], [0, 3]]), tf.tensor1d([0, 0], 'int32'));
   * correct.print(); // 1
   * ```
   */
  forwardWithStats<T extends AnyTensor = Tensor>(input: T, target: AnyTensor): LossWithStats<R, T> {
    return crossEntropyWithStats(input, target, allOptionsOf(this));
  }

  override getConfig() {
    return { ...super.getConfig(), labelSmoothing: this.labelSmoothing };
  }
}

const allOptionsOf = <R extends Reduction>(criterion: CrossEntropyLoss<R>): CrossEntropyOptions<R> => ({
  ...optionsOf(criterion),
  labelSmoothing: criterion.labelSmoothing,
});
