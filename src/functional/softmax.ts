import { deprecationWarn, type Tensor } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import { logSoftmaxOp, softmaxOp } from '../ops/softmax';
import { checkDim, checkFloat, checkTensor } from './checks';

/**
 * The logarithm of the softmax along a dimension, in nats:
 *
 * ```text
 * logSoftmax(x)[c] = x[c] - log(sum_k exp(x[k]))
 * ```
 *
 * computed less the maximum, so that nothing overflows and small probabilities keep all their digits. Its gradient by `x`, for
 * an upstream gradient `g`, is `g - softmax(x) * sum(g)`. Differentiable to any order.
 *
 * @param x float32, of any shape. Where all of a row are -Infinity, or one is NaN or Infinity, the row is NaN.
 * @param dim The dimension whose exponentials sum to 1, counted from the end if negative. Leaving it out is deprecated, as in
 *     PyTorch: then it is 0 for rank 0, 1 and 3, else 1, with a warning.
 * @returns A tensor of the shape of `x`, at most 0.
 * @throws RangeError if `x` has no dimension `dim`.
 * @throws TypeError if `x` is no float32 tensor, or `dim` no integer.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { logSoftmax } from 'tfjs-cross-entropy';
 *
 * const x = tf.tensor2d([[1, 2], [3, 4]]);
 * logSoftmax(x, 0).print(); // [[-2.1269, -2.1269], [-0.1269, -0.1269]]
 * logSoftmax(x, 1).print(); // [[-1.3133, -0.3133], [-1.3133, -0.3133]]
 * ```
 *
 * @see {@link crossEntropy} where a loss is made of it: both in one pass.
 * @see {@link softmax} for probabilities; `tf.log` of them loses the small ones.
 * @see [tf.logSoftmax](https://js.tensorflow.org/api/4.22.0/#logSoftmax), which knows the last dimension only.
 * @see [torch.nn.functional.log_softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html),
 *     whose semantics these are.
 */
export function logSoftmax<T extends AnyTensor>(x: T, dim?: number): T {
  return along(logSoftmaxOp, x, dim, 'logSoftmax');
}

/**
 * The softmax along a dimension: probabilities in the ratio of the exponentials,
 *
 * ```text
 * softmax(x)[c] = exp(x[c]) / sum_k exp(x[k])
 * ```
 *
 * computed less the maximum, so that nothing overflows. Its gradient by `x`, for an upstream gradient `g`, is
 * `p * (g - sum(g * p))` with `p = softmax(x)`. Differentiable to any order.
 *
 * @param x float32, of any shape. Where all of a row are -Infinity, or one is NaN or Infinity, the row is NaN.
 * @param dim The dimension that sums to 1, counted from the end if negative. Leaving it out is deprecated, as in PyTorch:
 *     then it is 0 for rank 0, 1 and 3, else 1, with a warning.
 * @returns A tensor of the shape of `x`, between 0 and 1.
 * @throws RangeError if `x` has no dimension `dim`.
 * @throws TypeError if `x` is no float32 tensor, or `dim` no integer.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { softmax } from 'tfjs-cross-entropy';
 *
 * const x = tf.tensor2d([[1, 2], [3, 4]]);
 * softmax(x, 0).print(); // [[0.1192, 0.1192], [0.8808, 0.8808]]
 * softmax(x, 1).print(); // [[0.2689, 0.7311], [0.2689, 0.7311]]
 * ```
 *
 * @see {@link crossEntropy} for a loss: it takes the logits, not what this makes of them.
 * @see {@link logSoftmax} where logarithms are wanted in the end.
 * @see [tf.softmax](https://js.tensorflow.org/api/4.22.0/#softmax), which knows the last dimension only.
 * @see [torch.nn.functional.softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html), whose
 *     semantics these are.
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
