import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type ClassView, rowShape } from '../../contract/class-view';
import type { LossAttrs } from '../../contract/kernels';
import type { HostBackend, Values } from './host';
import { weighLabels } from './labels';
import type { Totals } from './row-kernels';

/** What the sum of the losses is divided by. Also checks labels, whatever the reduction. */
export function divisorOf(
  view: ClassView,
  { target, reduction, ignoreIndex }: LossAttrs,
  targets: Values,
  weights: Values,
): number {
  const rowWeights =
    target === 'indices'
      ? weighLabels(targets, weights.length > 0 ? weights : undefined, view.classes, ignoreIndex)
      : view.classes && view.rows; // without classes PyTorch's mean is NaN
  return reduction === 'mean' ? rowWeights : 1;
}

/** The shapes of a loss kernel's outputs, by what is wanted; a record besides where the losses are taken from it. */
export function lossShapes(shape: number[], rows: number, { dim, reduction, wants }: LossAttrs): number[][] {
  const record = [rows, 4];
  const isReduced = reduction !== 'none';
  const loss = isReduced ? [] : rowShape(shape, dim);
  if (wants === 'gradient') return isReduced ? [loss, shape] : [loss, shape, record];
  return isReduced && wants === 'loss' ? [loss] : [loss, record, []];
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

/** Those of `Stats`, and, where they are reduced, of what is known of each row: an output too, which nobody else sees. */
export function statsShapes(shape: number[], rows: number, { dim, reduction, stats }: LossAttrs): number[][] {
  if (!stats) return [];
  return reduction === 'none' ? [rowShape(shape, dim), rowShape(shape, dim)] : [[], [], [rows]];
}

/** Of these outputs, the one that says of each row whether it is correct. */
export const correctRows = ([correct, , ofRows = correct]: Values[]): Values | undefined => ofRows;

/** Fills in what is left of them. */
export function reduceStats(stats: Values[], labels: Values, { ignoreIndex }: LossAttrs): void {
  const [correct, count, ofRows] = stats;
  if (!correct) return;
  let [corrects, counted] = [0, 0];
  for (let row = 0; row < labels.length; row++) {
    const isCounted = Number(labels[row] !== ignoreIndex);
    if (!ofRows) count[row] = isCounted;
    else corrects += ofRows[row];
    counted += isCounted;
  }
  if (ofRows) [correct[0], count[0]] = [corrects, counted];
}

/** The outputs without what nobody else sees. */
export function withoutRows(stats: TensorInfo[], backend: HostBackend): TensorInfo[] {
  for (const { dataId } of stats.splice(2)) backend.disposeData(dataId);
  return stats;
}
