import { div, mul, reshape, type Tensor } from '@tensorflow/tfjs-core';
import { blockedSum } from '../contract/sum';

/**
 * From one value a position, `[N, ...]`, one an example, `[N]`, whose plain mean is `sum(rows) / divisor`: Layers
 * multiplies what it gets by what `fit` was given as `classWeight`, and takes that mean.
 */
export function perExample(rows: Tensor, divisor: Tensor | number): Tensor {
  const [examples] = rows.shape;
  const sums = reshape(blockedSum(reshape(rows, [examples, -1, 1])), [examples]);
  return mul(sums, div(examples, divisor)); // 0 * Infinity where nothing counts: NaN, as in PyTorch
}
