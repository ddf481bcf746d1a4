import { rowShape } from '../../contract/class-view';
import type { LossAttrs } from '../../contract/kernels';
import type { Values } from './host';
import type { Totals } from './row-kernels';

/** The shapes of a loss kernel's outputs, by what is wanted. Without a reduction the losses are taken from the record. */
export function lossShapes(shape: number[], rows: number, { dim, reduction, wants }: LossAttrs): number[][] {
  if (reduction === 'none') return [rowShape(shape, dim), [rows, 4], []];
  if (wants === 'record') return [[], [rows, 4], []];
  return wants === 'gradient' ? [[], shape] : [[]];
}

/** Fills in the loss. */
export function reduceLosses(
  loss: Values,
  record: Values | undefined,
  divisor: number,
  { likelihoods, smoothings }: Totals,
  { reduction, labelSmoothing }: LossAttrs,
): void {
  if (reduction === 'none') for (let row = 0; row < loss.length; row++) loss[row] = record![row * 4 + 2];
  // PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity.
  else loss[0] = likelihoods / divisor + (labelSmoothing > 0 ? smoothings / divisor : 0);
}
