import type { TensorInfo } from '@tensorflow/tfjs-core';
import { rowShape } from '../../contract/class-view';
import type { LossAttrs } from '../../contract/kernels';
import type { Values } from './host';
import type { Totals } from './rows';

/** The shapes of a loss kernel's outputs. */
export function lossShapes(
  input: TensorInfo,
  { dim, reduction }: LossAttrs,
  rows: number,
): [loss: number[], record: number[], divisor: number[]] {
  return [reduction === 'none' ? rowShape(input.shape, dim) : [], [rows, 4], []];
}

/** Fills in the loss; the records are looked at only where there is no reduction. */
export function reduceLosses(
  loss: Values,
  record: Values,
  divisor: number,
  [likelihood, smoothing]: Totals,
  { reduction, labelSmoothing }: LossAttrs,
): void {
  if (reduction === 'none') for (let row = 0; row < loss.length; row++) loss[row] = record[row * 4 + 2];
  // PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity.
  else loss[0] = likelihood / divisor + (labelSmoothing > 0 ? smoothing / divisor : 0);
}
