import type { Tensor } from '@tensorflow/tfjs-core';
import { checkOptions } from '../functional/checks';
import { logSoftmax, softmax } from '../functional/softmax';

/** Options of `LogSoftmax` and `Softmax`. */
export interface SoftmaxOptions {
  /** The dimension that sums to 1, counted from the end if negative. */
  readonly dim?: number;
}

/** What `LogSoftmax` and `Softmax` have in common. They hold no tensors; `dispose` is there for all classes alike. */
abstract class AlongDim {
  readonly dim: number | undefined;

  constructor(dim?: number | SoftmaxOptions) {
    if (typeof dim === 'object') checkOptions(dim, ['dim'], 'Softmax');
    this.dim = typeof dim === 'object' ? dim.dim : dim;
  }

  abstract forward<T extends Tensor>(x: T): T;

  /** The options as plain JSON, from which `fromConfig` makes the same module. */
  getConfig(): SoftmaxOptions {
    return this.dim === undefined ? {} : { dim: this.dim };
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
  forward<T extends Tensor>(x: T): T {
    return logSoftmax(x, this.dim);
  }

  static fromConfig(config: SoftmaxOptions): LogSoftmax {
    return new LogSoftmax(config);
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
  forward<T extends Tensor>(x: T): T {
    return softmax(x, this.dim);
  }

  static fromConfig(config: SoftmaxOptions): Softmax {
    return new Softmax(config);
  }
}
