import { add, concat, logicalAnd, reshape, scalar, type Tensor, where, zeros } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../contract/class-view';
import { liveRows, nan, only, quotient } from '../../contract/formulas';
import type { LossAttrs, LossInputs, Tensors } from '../../contract/kernels';
import { total } from '../../contract/sum';

/** `LossOutputs`, as tensors. */
export type OutputTensors = [loss: Tensor, record: Tensor, divisor: Tensor, ...stats: StatsTensors | []];

type StatsTensors = [correct: Tensor, count: Tensor];

/** What the forward kernel of a loss knows of each row, `[outer, 1, inner]` each. */
interface RowTensors {
  readonly max: Tensor;
  /** The sum of the row's coefficients over that of its exponentials. */
  readonly massPerSum: Tensor;
  /** The parts that make up the loss of a row: the likelihood's, and the smoothing's where there is one. */
  readonly losses: Tensor[];
  readonly weight: Tensor;
  /** Whether the label has the largest logit, if that is wanted. */
  readonly correct?: Tensor;
}

/** The loss, the row record and the divisor. */
export function reduceRows(rows: RowTensors, inputs: LossInputs, attrs: LossAttrs): OutputTensors {
  const { input } = inputs;
  const { dim, reduction } = attrs;
  const loss = rows.losses.length === 1 ? rows.losses[0] : add(rows.losses[0], rows.losses[1]);
  const column = (x: Tensor) => reshape(x, [-1, 1]);
  const record = concat([rows.max, rows.massPerSum, loss, rows.weight].map(column), 1);
  const stats = rows.correct ? statsOf(rows.correct, inputs, attrs) : [];
  const outputs = (loss: Tensor, divisor: Tensor) => [loss, record, divisor, ...stats] as OutputTensors;
  if (reduction === 'none') return outputs(reshape(loss, rowShape(input.shape, dim)), scalar(1));
  if (reduction === 'sum') return outputs(total(loss), scalar(1));
  const divisor = attrs.target === 'indices' ? total(rows.weight) : scalar(record.shape[0]);
  // PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity.
  const [likelihood, smoothing] = rows.losses.map((part) => quotient(total(part), divisor));
  return outputs(smoothing ? add(likelihood, smoothing) : likelihood, divisor);
}

/** `Stats` of rows that are correct or not, `[outer, 1, inner]`. */
function statsOf(correct: Tensor, { input, target }: LossInputs, attrs: LossAttrs): StatsTensors {
  const isLive = liveRows(target as Tensor, classView(input.shape, attrs.dim), attrs.ignoreIndex);
  const reduced = (rows: Tensor) => {
    const numbers = where(rows, scalar(1), scalar(0));
    return attrs.reduction === 'none' ? reshape(numbers, rowShape(input.shape, attrs.dim)) : total(numbers);
  };
  return [reduced(logicalAnd(correct, isLive)), reduced(isLive)];
}

/** The outputs when there are no rows or no classes: nothing to add up, but labels that cannot be right. */
export function emptyLoss(inputs: LossInputs, attrs: LossAttrs): OutputTensors {
  const { target, input } = inputs as Tensors<typeof inputs>;
  const { dim, reduction, ignoreIndex } = attrs;
  const view = classView(input.shape, dim);
  const record = zeros([view.rows, 4]);
  const none = () => zeros(reduction === 'none' ? rowShape(input.shape, dim) : []);
  const isCorrect = () => zeros([view.outer, 1, view.inner], 'bool');
  const stats: StatsTensors | [] = !attrs.stats
    ? []
    : view.rows > 0
      ? statsOf(isCorrect(), inputs, attrs)
      : [none(), none()];
  const outputs = (loss: Tensor, divisor: number) => [loss, record, scalar(divisor), ...stats] as OutputTensors;
  if (reduction === 'mean') return outputs(nan(), 0);
  const live = view.rows > 0 && attrs.target === 'indices' && liveRows(target, view, ignoreIndex);
  const losses = live ? only(live, nan()) : zeros([view.rows]);
  if (reduction === 'none') return outputs(reshape(losses, rowShape(input.shape, dim)), 1);
  return outputs(total(losses), 1);
}
