import type { TensorInfo } from '@tensorflow/tfjs-core';
import { rowShape } from '../../ops/class-view';
import type { LossAttrs, LossInputs } from '../../ops/contracts';
import type { Values } from './host';

/** The shapes of a loss kernel's outputs. */
export function lossShapes(input: TensorInfo, { dim, reduction }: LossAttrs, rows: number): number[][] {
  return [reduction === 'none' ? rowShape(input.shape, dim) : [], [rows, 4], []];
}

/** What a loss divides the sum over the rows by: 1 unless it is their mean. */
export function divisorOf({ input, target }: LossInputs, attrs: LossAttrs, targets: Values, weights: Values): number {
  if (attrs.reduction !== 'mean') return 1;
  if (target.dtype !== 'int32') return input.shape[attrs.dim] === 0 ? 0 : targets.length / input.shape[attrs.dim];
  let sum = 0;
  for (let row = 0; row < targets.length; row++) {
    if (targets[row] !== attrs.ignoreIndex) sum += weights.length > 0 ? weights[targets[row]] : 1;
  }
  return sum;
}

/** Collects the records of the rows into a loss kernel's outputs, and reduces them in float64. */
export class RowRecords {
  private likelihood = 0;
  private smoothing = 0;

  readonly record: Values;

  constructor(
    private readonly inputs: LossInputs,
    private readonly attrs: LossAttrs,
    private readonly outputs: Values[],
    private readonly divisor: number,
  ) {
    this.record = outputs[1];
  }

  /** The loss of a row is the sum of its two parts. */
  add(row: number, max: number, sumExp: number, likelihood: number, smoothing: number, weight: number): void {
    const { record } = this;
    const loss = likelihood + smoothing;
    record[row * 4] = max;
    record[row * 4 + 1] = sumExp;
    record[row * 4 + 2] = loss;
    record[row * 4 + 3] = weight;
    this.likelihood += likelihood;
    this.smoothing += smoothing;
  }

  /** To be called when all rows have been added. */
  reduce(): void {
    const { likelihood, smoothing, divisor } = this;
    const { reduction, labelSmoothing } = this.attrs;
    const [loss, , scalar] = this.outputs;
    scalar[0] = divisor;
    if (reduction === 'none') {
      for (let row = 0; row < loss.length; row++) loss[row] = this.record[row * 4 + 2];
      return;
    }
    // PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity.
    const smoothed = this.inputs.target.dtype === 'int32' && labelSmoothing > 0;
    loss[0] = likelihood / divisor + (smoothed ? smoothing / divisor : 0);
  }
}
