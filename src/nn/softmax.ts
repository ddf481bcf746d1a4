import type { AnyTensor } from '../contract/any-tensor';
import { checkInteger } from '../functional/checks';
import { withDefaults } from '../functional/read-options';
import { logSoftmax, softmax } from '../functional/softmax';

/** Options of `LogSoftmax` and `Softmax`. */
export interface SoftmaxOptions {
  /** The dimension that sums to 1, counted from the end if negative. */
  readonly dim?: number;
}

/** What `LogSoftmax` and `Softmax` have in common. They hold no tensors; `dispose` is there for all classes alike. */
abstract class AlongDim {
  readonly dim: number | undefined;

  constructor(className: string, options?: number | SoftmaxOptions) {
    const { dim } =
      typeof options === 'object' ? withDefaults(options, { dim: undefined }, className) : { dim: options };
    if (dim !== undefined) checkInteger(dim, 'dim');
    this.dim = dim;
  }

  abstract forward<T extends AnyTensor>(x: T): T;

  /** The options as plain JSON, from which `fromConfig` makes the same module. */
  getConfig(): SoftmaxOptions {
    return this.dim === undefined ? {} : { dim: this.dim };
  }

  /** A module of this class, or of the subclass that this is called on. */
  static fromConfig<T>(this: new (options: SoftmaxOptions) => T, config: SoftmaxOptions): T {
    return new this(config);
  }

  dispose(): void {}
}

/**
 * `torch.nn.LogSoftmax`: the logarithm of the softmax along `dim`. Formula, shapes and errors: `logSoftmax`.
 *
 * @example
 * ```ts
 * new LogSoftmax(1).forward(tf.tensor2d([[1, 3], [2, 2]])).print(); // [[-2.1269, -0.1269], [-0.6931, -0.6931]]
 * ```
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
 */
export class LogSoftmax extends AlongDim {
  constructor(dim?: number | SoftmaxOptions) {
    super('LogSoftmax', dim);
  }

  forward<T extends AnyTensor>(x: T): T {
    return logSoftmax(x, this.dim);
  }
}

/**
 * `torch.nn.Softmax`: the softmax along `dim`. Formula, shapes and errors: `softmax`.
 *
 * @example
 * ```ts
 * new Softmax(0).forward(tf.tensor1d([1, 2, 3])).print(); // [0.09, 0.2447, 0.6652]
 * ```
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html
 */
export class Softmax extends AlongDim {
  constructor(dim?: number | SoftmaxOptions) {
    super('Softmax', dim);
  }

  forward<T extends AnyTensor>(x: T): T {
    return softmax(x, this.dim);
  }
}
