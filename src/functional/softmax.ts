import { deprecationWarn, type Tensor } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import { logSoftmaxOp, softmaxOp } from '../ops/softmax';
import { checkDim, checkFloat, checkTensor } from './checks';

/**
 * The logarithm of the softmax along a dimension: `x - log(sum(exp(x)))`, computed without overflow. `tf.logSoftmax`
 * knows the last dimension only. Differentiable to any order.
 *
 * @param x float32, of any shape.
 * @param dim The dimension whose exponentials sum to 1, counted from the end if negative. Leaving it out is
 *     deprecated, as in PyTorch: then it is 0 for rank 0, 1 and 3, else 1.
 * @returns A tensor of the shape of `x`, in nats, at most 0.
 * @throws RangeError if `x` has no dimension `dim`, TypeError if it is not float32.
 *
 * @example
 * ```ts
 * const x = tf.tensor2d([[1, 2], [3, 4]]);
 * logSoftmax(x, 0).print(); // [[-2.1269, -2.1269], [-0.1269, -0.1269]]
 * ```
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
 */
export function logSoftmax<T extends AnyTensor>(x: T, dim?: number): T {
  return along(logSoftmaxOp, x, dim, 'logSoftmax');
}

/**
 * The softmax along a dimension: `exp(x) / sum(exp(x))`, computed without overflow. `tf.softmax` knows the last
 * dimension only. Differentiable to any order.
 *
 * @param x float32, of any shape.
 * @param dim The dimension that sums to 1, counted from the end if negative. Leaving it out is deprecated, as in
 *     PyTorch: then it is 0 for rank 0, 1 and 3, else 1.
 * @returns A tensor of the shape of `x`, between 0 and 1.
 * @throws RangeError if `x` has no dimension `dim`, TypeError if it is not float32.
 *
 * @example
 * ```ts
 * const x = tf.tensor2d([[1, 2], [3, 4]]);
 * softmax(x, 0).print(); // [[0.1192, 0.1192], [0.8808, 0.8808]]
 * ```
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
 */
export function softmax<T extends AnyTensor>(x: T, dim?: number): T {
  return along(softmaxOp, x, dim, 'softmax');
}

function along<T>(op: (x: Tensor, attrs: { dim: number }) => Tensor, x: T, dim: number | undefined, name: string): T {
  checkTensor(x, 'x');
  checkFloat(x, 'x', name);
  return op(x, { dim: dim === undefined ? implicitDim(x.rank, name) : checkDim(dim, x.rank) }) as T;
}

function implicitDim(rank: number, functionName: string): number {
  deprecationWarn(`Implicit dimension choice for ${functionName} has been deprecated. Pass dim as an argument.`);
  return rank <= 1 || rank === 3 ? 0 : 1;
}
