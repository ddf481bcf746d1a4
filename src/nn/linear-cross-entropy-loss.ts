import { randomUniform, type Tensor, tidy, type Variable, variable } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type {
  LinearCrossEntropyConfig,
  LinearCrossEntropyLossOptions,
  LinearCrossEntropyOptions,
  LossOf,
  LossWithStats,
  Reduction,
} from '../contract/options';
import { expected } from '../functional/errors';
import { linearCrossEntropy, linearCrossEntropyWithStats } from '../functional/linear-cross-entropy';
import { readLinearOptions } from '../functional/read-options';
import { type Config, optionsFrom, optionsOf, WeightedLoss } from './weighted-loss';

/**
 * `torch.nn.LinearCrossEntropyLoss`: a linear layer and CrossEntropyLoss in one, for large vocabularies: a chunk of the logits is
 * in memory at a time. Formula, shapes and errors of a call are those of {@link linearCrossEntropy}.
 *
 * It owns trainable variables, `linearWeight` of shape `[numClasses, inFeatures]` and, with `bias`, `linearBias` of shape
 * `[numClasses]`, drawn evenly from `-1 / sqrt(inFeatures)` to `1 / sqrt(inFeatures)` as PyTorch's Linear is. `minimize` trains
 * them along with all others; to save them, save their values: `getConfig` holds the options only.
 *
 * @typeParam R The reduction: `forward` gives a scalar unless it is `'none'`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { LinearCrossEntropyLoss } from 'tfjs-cross-entropy';
 *
 * const criterion = new LinearCrossEntropyLoss(2, 3, { bias: true });
 * const hidden = tf.tensor2d([[1, 0], [0, 2]]);
 * const target = tf.tensor1d([0, 2], 'int32');
 * const optimizer = tf.train.adam(0.1);
 * for (let step = 0; step < 50; step++) optimizer.minimize(() => criterion.forward(hidden, target) as tf.Scalar);
 * console.log(criterion.forward(hidden, target).dataSync()[0] < 0.1); // true
 * criterion.dispose();
 * ```
 *
 * @see {@link linearCrossEntropy} where the weight is another's, such as an embedding's.
 * @see {@link CrossEntropyLoss} for logits that are there anyway.
 * @see [torch.nn.LinearCrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.LinearCrossEntropyLoss.html),
 *     whose semantics these are.
 */
export class LinearCrossEntropyLoss<R extends Reduction = 'mean'> extends WeightedLoss<R> {
  /** `D`, the size of a row of the input. */
  readonly inFeatures: number;
  /** `C`. */
  readonly numClasses: number;
  /** The share of the target's probability that is spread evenly over all classes. */
  readonly labelSmoothing: number;
  /** How many rows have their logits in memory at a time, or `undefined` where it is chosen by the sizes. */
  readonly batchChunkSize: number | undefined;
  /** How far ahead of its position a target is. */
  readonly shift: number;
  /** `[numClasses, inFeatures]`, trainable. */
  readonly linearWeight: Variable;
  /** `[numClasses]`, trainable; `null` unless the option `bias` is true. */
  readonly linearBias: Variable | null;

  /**
   * @param inFeatures `D`, a whole number from 1.
   * @param numClasses `C`, a whole number from 1.
   * @param options See {@link LinearCrossEntropyLossOptions}.
   * @throws TypeError for sizes that are none, and for an option that is not known or of a wrong type; RangeError and Error as
   *     {@link CrossEntropyLoss} does.
   */
  constructor(inFeatures: number, numClasses: number, options: LinearCrossEntropyLossOptions<R> = {}) {
    for (const [name, size] of Object.entries({ inFeatures, numClasses })) {
      if (!Number.isInteger(size) || size < 1) throw expected(`\`${name}\``, 'a positive integer', size);
    }
    const read = readLinearOptions<R, { bias: boolean }>(options, 'LinearCrossEntropyLoss', { bias: false });
    if (typeof read.bias !== 'boolean') throw expected('`bias`', 'true or false', read.bias);
    super('LinearCrossEntropyLoss', read);
    this.inFeatures = inFeatures;
    this.numClasses = numClasses;
    this.labelSmoothing = read.labelSmoothing;
    this.batchChunkSize = read.batchChunkSize;
    this.shift = read.shift;
    const bound = 1 / Math.sqrt(inFeatures);
    const drawn = (shape: number[]) => tidy(() => variable(randomUniform(shape, -bound, bound)));
    this.linearWeight = drawn([numClasses, inFeatures]);
    this.linearBias = read.bias ? drawn([numClasses]) : null;
  }

  /**
   * The loss of the input's logits against class indices or probabilities: see {@link linearCrossEntropy}.
   *
   * @param input float32: `[D]`, `[N, D]`, or `[N, T, D]` for sequences.
   * @param target Class indices, int32: `[]`, `[N]` or `[N, T]`; or class probabilities, float32: `[C]`, `[N, C]` or
   *     `[N, T, C]`.
   * @returns A scalar in nats; with the reduction `'none'` one loss a target.
   * @throws Error once it is disposed, TypeError where it is torn off its criterion, and what {@link linearCrossEntropy}
   *     throws.
   */
  forward<T extends AnyTensor = Tensor>(input: T, target: AnyTensor): LossOf<R, T> {
    const options = allOptionsOf(this); // first: it finds out what `this` is
    return linearCrossEntropy(input, this.linearWeight, target, options);
  }

  /**
   * The loss as {@link forward} gives it, and how many rows are right and how many count: see
   * {@link crossEntropyWithStats}.
   *
   * @param input As for {@link forward}.
   * @param target As for {@link forward}.
   * @returns The loss, and numbers of rows: scalars, or with the reduction `'none'` one value a row.
   * @throws What {@link forward} throws.
   */
  forwardWithStats<T extends AnyTensor = Tensor>(input: T, target: AnyTensor): LossWithStats<R, T> {
    const options = allOptionsOf(this);
    return linearCrossEntropyWithStats(input, this.linearWeight, target, options);
  }

  /** The options as plain JSON, from which `fromConfig` makes such a criterion; they hold no variables. */
  override getConfig(): LinearCrossEntropyConfig<R> {
    const { inFeatures, numClasses, linearBias, labelSmoothing, batchChunkSize, shift } = this;
    const { weight, ignoreIndex, reduction } = super.getConfig();
    return {
      inFeatures,
      numClasses,
      bias: linearBias !== null,
      weight,
      ignoreIndex,
      reduction,
      labelSmoothing,
      ...(batchChunkSize !== undefined && { batchChunkSize }),
      shift,
    };
  }

  /**
   * A criterion with these options, and variables drawn anew.
   *
   * @param config What `getConfig` gives, as it is or after a way through JSON.
   * @throws What the constructor throws.
   */
  static override fromConfig<T, Options>(this: new (...args: never[]) => T, config: Config<Options>): T {
    const { inFeatures, numClasses, ...options } = (optionsFrom(config) ?? {}) as LinearCrossEntropyConfig;
    return new this(inFeatures as never, numClasses as never, options as never);
  }

  /** Frees the variables too. */
  override dispose(): void {
    super.dispose();
    // A variable does not ask by itself whether it is disposed.
    for (const x of [this.linearWeight, this.linearBias]) if (x && !x.isDisposed) x.dispose();
  }
}

function allOptionsOf<R extends Reduction>(criterion: LinearCrossEntropyLoss<R>): LinearCrossEntropyOptions<R> {
  const { dim: _, ...options } = optionsOf(criterion);
  const { linearBias, labelSmoothing, batchChunkSize, shift } = criterion;
  return { ...options, linearBias, labelSmoothing, batchChunkSize, shift };
}
