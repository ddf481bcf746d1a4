import { add, concat, div, equal, logicalAnd, reshape, scalar, type Tensor, where, zeros } from '@tensorflow/tfjs-core';
import { rowShape } from '../../contract/class-view';
import type { LossAttrs, LossInputs } from '../../contract/kernels';
import { total } from '../../contract/sum';

/** `LossOutputs`, as tensors. */
export type OutputTensors = [loss: Tensor, record: Tensor, divisor: Tensor];

/** What the forward kernel of a loss knows of each row, `[outer, 1, inner]` each. */
export interface Rows {
  readonly max: Tensor;
  readonly sumExp: Tensor;
  /** The parts that make up the loss of a row: the likelihood's, and the smoothing's where there is one. */
  readonly losses: Tensor[];
  readonly weight: Tensor;
}

/** The loss, the row record and the divisor. */
export function reduceRows(rows: Rows, inputs: LossInputs, attrs: LossAttrs): OutputTensors {
  const { input, target } = inputs;
  const { dim, reduction } = attrs;
  const loss = rows.losses.length === 1 ? rows.losses[0] : add(rows.losses[0], rows.losses[1]);
  const column = (x: Tensor) => reshape(x, [-1, 1]);
  const record = concat([rows.max, rows.sumExp, loss, rows.weight].map(column), 1);
  if (reduction === 'none') return [reshape(loss, rowShape(input.shape, dim)), record, scalar(1)];
  if (reduction === 'sum') return [total(loss), record, scalar(1)];
  const divisor = target.dtype === 'int32' ? total(rows.weight) : scalar(record.shape[0]);
  // PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity.
  const [likelihood, smoothing] = rows.losses.map((part) => quotient(total(part), divisor));
  return [smoothing ? add(likelihood, smoothing) : likelihood, record, divisor];
}

/** `a / b`, also where WebGL's division has 1 for 0 / 0. */
function quotient(a: Tensor, b: Tensor): Tensor {
  return where(logicalAnd(equal(a, 0), equal(b, 0)), scalar(Number.NaN), div(a, b));
}

/** The outputs when there are no rows or no classes: nothing to add up. */
export function emptyLoss({ input }: LossInputs, { dim, reduction }: LossAttrs): OutputTensors {
  const shape = rowShape(input.shape, dim);
  const rows = shape.reduce((a, b) => a * b, 1);
  const record = zeros([rows, 4]);
  if (reduction === 'none') return [zeros(shape), record, scalar(1)];
  if (reduction === 'sum') return [scalar(0), record, scalar(1)];
  return [scalar(Number.NaN), record, scalar(0)];
}
