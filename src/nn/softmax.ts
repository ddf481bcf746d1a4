import type { AnyTensor } from '../contract/any-tensor';
import { checkInteger } from '../functional/checks';
import { withDefaults } from '../functional/read-options';
import { logSoftmax, softmax } from '../functional/softmax';

/** Options of {@link LogSoftmax} and {@link Softmax}. */
export interface SoftmaxOptions {
  /** The dimension that sums to 1, counted from the end if negative. */
  readonly dim?: number;
}

/** What `LogSoftmax` and `Softmax` have in common. */
abstract class AlongDim {
  /** The dimension, or `undefined` where it is left to the rank of what comes, which is deprecated. */
  readonly dim: number | undefined;

  constructor(className: string, options?: number | SoftmaxOptions) {
    const { dim } =
      typeof options === 'object' ? withDefaults(options, { dim: undefined }, className) : { dim: options };
    if (dim !== undefined) checkInteger(dim, 'dim');
    this.dim = dim;
  }

  /** Of the shape of `x`, which is float32. */
  abstract forward<T extends AnyTensor>(x: T): T;

  /** The options as plain JSON, from which `fromConfig` makes the same module. */
  getConfig(): SoftmaxOptions {
    return this.dim === undefined ? {} : { dim: this.dim };
  }

  /**
   * A module of this class, or of the subclass that this is called on.
   *
   * @param config What `getConfig` gives.
   * @throws What the constructor throws.
   */
  static fromConfig<T>(this: new (options: SoftmaxOptions) => T, config: SoftmaxOptions): T {
    return new this(config);
  }

  /** Does nothing: there are no tensors to free. It is there for all classes alike. */
  dispose(): void {}
}

/**
 * `torch.nn.LogSoftmax`: {@link logSoftmax} along a dimension that is kept, with its formula, shapes and errors.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { LogSoftmax } from 'tfjs-cross-entropy';
 *
 * new LogSoftmax(1).forward(tf.tensor2d([[1, 3], [2, 2]])).print(); // [[-2.1269, -0.1269], [-0.6931, -0.6931]]
 * ```
 *
 * @see {@link logSoftmax} for a single call.
 * @see {@link CrossEntropyLoss}, which needs none before it.
 * @see [torch.nn.LogSoftmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html), whose semantics these
 *     are.
 */
export class LogSoftmax extends AlongDim {
  /**
   * @param dim The dimension whose exponentials sum to 1, as a number or as `{ dim }`.
   * @throws TypeError if it is no integer, or for another option.
   */
  constructor(dim?: number | SoftmaxOptions) {
    super('LogSoftmax', dim);
  }

  /**
   * {@link logSoftmax} along `dim`.
   *
   * @param x Scores (logits), float32 of any shape.
   * @returns Log-probabilities in nats, of the shape of `x`.
   * @throws What {@link logSoftmax} throws.
   */
  forward<T extends AnyTensor>(x: T): T {
    return logSoftmax(x, this.dim);
  }
}

/**
 * `torch.nn.Softmax`: {@link softmax} along a dimension that is kept, with its formula, shapes and errors.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { Softmax } from 'tfjs-cross-entropy';
 *
 * new Softmax(0).forward(tf.tensor1d([1, 2, 3])).print(); // [0.09, 0.2447, 0.6652]
 * ```
 *
 * @see {@link softmax} for a single call.
 * @see {@link CrossEntropyLoss}, which takes logits, not what this makes of them.
 * @see [torch.nn.Softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html), whose semantics these are.
 */
export class Softmax extends AlongDim {
  /**
   * @param dim The dimension that sums to 1, as a number or as `{ dim }`.
   * @throws TypeError if it is no integer, or for another option.
   */
  constructor(dim?: number | SoftmaxOptions) {
    super('Softmax', dim);
  }

  /**
   * {@link softmax} along `dim`.
   *
   * @param x Scores (logits), float32 of any shape.
   * @returns Probabilities, between 0 and 1, of the shape of `x`.
   * @throws What {@link softmax} throws.
   */
  forward<T extends AnyTensor>(x: T): T {
    return softmax(x, this.dim);
  }
}
