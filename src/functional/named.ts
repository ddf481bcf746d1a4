import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { LossWithStats, Reduction } from '../contract/options';

/** A loss and its stats by their names, with nothing left over of how they came about. */
export function named<R extends Reduction, T>(lossAndStats: () => Tensor[]): LossWithStats<R, T> {
  const results = tidy(() => {
    const [loss, correct, count] = lossAndStats();
    return { loss, correct, count };
  });
  return results as unknown as LossWithStats<R, T>;
}
