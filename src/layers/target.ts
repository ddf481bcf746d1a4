import { cast, mul, reshape, type Tensor, util } from '@tensorflow/tfjs-core';
import { keptShape, rowShape } from '../contract/class-view';

/**
 * What Layers hands over as `yTrue`, as the functions want it. A target of the output's shape holds probabilities; any
 * other holds class indices, as float32 or int32, and `[N]` arrives as `[N, 1]`. `dim` is the class axis, from 0.
 */
export function readTarget(yTrue: Tensor, yPred: Tensor, dim: number): Tensor {
  if (util.arraysEqual(yTrue.shape, yPred.shape)) {
    return yTrue.dtype === 'float32' ? yTrue : mul(yTrue, 1); // a cast would leave integers in WebGPU's buffer
  }
  const isKept = util.arraysEqual(yTrue.shape, keptShape(yPred.shape, dim));
  return cast(isKept ? reshape(yTrue, rowShape(yPred.shape, dim)) : yTrue, 'int32');
}
