import {
  abs,
  cast,
  equal,
  floor,
  less,
  logicalAnd,
  mul,
  reshape,
  scalar,
  type Tensor,
  util,
  where,
} from '@tensorflow/tfjs-core';
import { keptShape, rowShape } from '../contract/class-view';

/**
 * What Layers hands over as `yTrue`, as the functions want it. A target of the output's shape holds probabilities; any
 * other holds class indices, as float32 or int32, and `[N]` arrives as `[N, 1]`. `dim` is the class axis, from 0.
 */
export function readTarget(yTrue: Tensor, yPred: Tensor, dim: number, ignoreIndex: number): Tensor {
  if (yTrue.dtype === 'string' || yTrue.dtype === 'complex64') {
    throw new TypeError(`Expected \`yTrue\` to hold class indices or probabilities, got ${yTrue.dtype}.`);
  }
  if (util.arraysEqual(yTrue.shape, yPred.shape)) {
    return yTrue.dtype === 'float32' ? yTrue : mul(yTrue, 1); // a cast would leave integers in WebGPU's buffer
  }
  const isKept = util.arraysEqual(yTrue.shape, keptShape(yPred.shape, dim));
  const labels = isKept ? reshape(yTrue, rowShape(yPred.shape, dim)) : yTrue;
  return labels.dtype === 'int32' ? labels : asIndices(cast(labels, 'float32'), ignoreIndex);
}

/** Labels in float32 as integers; one that is no integer, or none of int32, becomes one that is no class. */
function asIndices(labels: Tensor, ignoreIndex: number): Tensor {
  if (labels.size === 0) return cast(labels, 'int32'); // tfjs-node's `where` bears nothing empty
  const isIndex = logicalAnd(equal(floor(labels), labels), less(abs(labels), 2 ** 31));
  const noClass = ignoreIndex === -(2 ** 31) ? -(2 ** 30) : -(2 ** 31);
  return cast(where(isIndex, labels, scalar(noClass)), 'int32');
}
