import { add, concat, reshape, scalar, sum, type Tensor, zeros } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../contract/class-view';
import { liveRows, nan, only, quotient } from '../../contract/formulas';
import type { LossAttrs, LossInputs, Tensors } from '../../contract/kernels';
import { total } from '../../contract/sum';

/** `LossOutputs`, as tensors. */
export type OutputTensors = [loss: Tensor, record: Tensor, divisor: Tensor];

/** What the forward kernel of a loss knows of each row, `[outer, 1, inner]` each. */
export interface RowTensors {
  readonly max: Tensor;
  /** The sum of the row's coefficients over that of its exponentials. */
  readonly massPerSum: Tensor;
  /** The parts that make up the loss of a row: the likelihood's, and the smoothing's where there is one. */
  readonly losses: Tensor[];
  readonly weight: Tensor;
}

/** The loss, the row record and the divisor. */
export function reduceRows(rows: RowTensors, { input }: LossInputs, attrs: LossAttrs): OutputTensors {
  const { dim, reduction } = attrs;
  const loss = rows.losses.length === 1 ? rows.losses[0] : add(rows.losses[0], rows.losses[1]);
  const column = (x: Tensor) => reshape(x, [-1, 1]);
  const record = concat([rows.max, rows.massPerSum, loss, rows.weight].map(column), 1);
  if (reduction === 'none') return [reshape(loss, rowShape(input.shape, dim)), record, scalar(1)];
  if (reduction === 'sum') return [total(loss), record, scalar(1)];
  const divisor = attrs.target === 'indices' ? total(rows.weight) : scalar(record.shape[0]);
  // PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity.
  const [likelihood, smoothing] = rows.losses.map((part) => quotient(total(part), divisor));
  return [smoothing ? add(likelihood, smoothing) : likelihood, record, divisor];
}

/** The outputs when there are no rows or no classes: nothing to add up, but labels that cannot be right. */
export function emptyLoss(inputs: LossInputs, attrs: LossAttrs): OutputTensors {
  const { target, input } = inputs as Tensors<typeof inputs>;
  const { dim, reduction, ignoreIndex } = attrs;
  const view = classView(input.shape, dim);
  const record = zeros([view.rows, 4]);
  if (reduction === 'mean') return [nan(), record, scalar(0)];
  const live = view.rows > 0 && attrs.target === 'indices' && liveRows(target, view, ignoreIndex);
  const losses = live ? only(live, nan()) : zeros([view.rows]);
  if (reduction === 'none') return [reshape(losses, rowShape(input.shape, dim)), record, scalar(1)];
  return [live ? sum(losses) : scalar(0), record, scalar(1)]; // not every backend sums up what is empty
}
