import type { Tensor } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { CrossEntropyConfig, CrossEntropyOptions, LossOf, LossWithStats, Reduction } from '../contract/options';
import { crossEntropy, crossEntropyWithStats } from '../functional/cross-entropy';
import { CROSS_ENTROPY_DEFAULTS, readOptions } from '../functional/read-options';
import { optionsOf, WeightedLoss } from './weighted-loss';

/**
 * `torch.nn.CrossEntropyLoss`: a criterion that holds the options of {@link crossEntropy}, which has the formula, the shapes
 * and the errors of a call.
 *
 * The options are checked once, when it is made, and are readonly fields then. Class weights are copied to each backend that
 * they are used on, and stay there until {@link dispose}; no `tidy` takes them.
 *
 * @typeParam R The reduction: `forward` gives a scalar unless it is `'none'`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { CrossEntropyLoss } from 'tfjs-cross-entropy';
 *
 * const criterion = new CrossEntropyLoss({ weight: [1, 2, 1], labelSmoothing: 0.1 });
 * const logits = tf.tensor2d([[2, 1, 0], [0, 0, 3]]);
 * const target = tf.tensor1d([0, 2], 'int32');
 * criterion.forward(logits, target).print(); // 0.4763
 * criterion.dispose();
 * ```
 *
 * @see {@link crossEntropy} for a single call: the same, without an object to dispose of.
 * @see {@link NLLLoss} where the model gives log-probabilities.
 * @see [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html), whose
 *     semantics these are.
 */
export class CrossEntropyLoss<R extends Reduction = 'mean'> extends WeightedLoss<R> {
  /** The share of the target's probability that is spread evenly over all classes. */
  readonly labelSmoothing: number;

  /**
   * @param options See {@link CrossEntropyOptions}.
   * @throws RangeError for a `labelSmoothing` outside of [0, 1] and an `ignoreIndex` outside of int32; TypeError for an
   *     option that is not known or of a wrong type; Error for a `weight` that is not `[C]` and an unknown `reduction`.
   */
  constructor(options: CrossEntropyOptions<R> = {}) {
    const read = readOptions(options, CROSS_ENTROPY_DEFAULTS, 'CrossEntropyLoss');
    super('CrossEntropyLoss', read);
    this.labelSmoothing = read.labelSmoothing;
  }

  /**
   * The loss of logits against class indices or probabilities, in PyTorch's order: see {@link crossEntropy}.
   *
   * @param input Logits, float32: `[C]`, `[N, C]` or `[N, C, d1, ..., dK]`.
   * @param target Class indices, int32, of the input's shape without the class dimension; or probabilities, float32, of
   *     the input's shape.
   * @returns A scalar in nats; with the reduction `'none'` a tensor of the input's shape without the class dimension.
   * @throws Error once it is disposed, TypeError where it is torn off its criterion, and what {@link crossEntropy} throws.
   */
  forward<T extends AnyTensor = Tensor>(input: T, target: AnyTensor): LossOf<R, T> {
    return crossEntropy(input, target, allOptionsOf(this));
  }

  /**
   * The loss as {@link forward} gives it, how many rows are right, and how many count, of the same pass: see
   * {@link crossEntropyWithStats}.
   *
   * @param input As for {@link forward}.
   * @param target As for {@link forward}.
   * @returns The loss, and numbers of rows: scalars, or with the reduction `'none'` one value a row.
   * @throws What {@link forward} throws.
   *
   * @example
   * ```ts
   * import * as tf from '@tensorflow/tfjs';
   * import { CrossEntropyLoss } from 'tfjs-cross-entropy';
   *
   * const criterion = new CrossEntropyLoss();
   * const { correct } = criterion.forwardWithStats(tf.tensor2d([[2, 1], [0, 3]]), tf.tensor1d([0, 0], 'int32'));
   * correct.print(); // 1
   * ```
   */
  forwardWithStats<T extends AnyTensor = Tensor>(input: T, target: AnyTensor): LossWithStats<R, T> {
    return crossEntropyWithStats(input, target, allOptionsOf(this));
  }

  /** The options as plain JSON, from which `fromConfig` makes the same criterion. */
  override getConfig(): CrossEntropyConfig<R> {
    return { ...super.getConfig(), labelSmoothing: this.labelSmoothing };
  }
}

const allOptionsOf = <R extends Reduction>(criterion: CrossEntropyLoss<R>): CrossEntropyOptions<R> => ({
  ...optionsOf(criterion),
  labelSmoothing: criterion.labelSmoothing,
});
