import type { TensorInfo } from '@tensorflow/tfjs-core';
import { rowShape } from '../../ops/class-view';
import type { LossAttrs, LossInputs } from '../../ops/contracts';
import type { Values } from './host';

/** The shapes of a loss kernel's outputs. */
export function lossShapes(input: TensorInfo, { dim, reduction }: LossAttrs, rows: number): number[][] {
  return [reduction === 'none' ? rowShape(input.shape, dim) : [], [rows, 4], []];
}

/** Collects the records of the rows into a loss kernel's outputs, and reduces them in float64. */
export class RowRecords {
  private likelihood = 0;
  private smoothing = 0;
  private weights = 0;

  constructor(
    private readonly inputs: LossInputs,
    private readonly attrs: LossAttrs,
    private readonly outputs: Values[],
  ) {}

  /** The loss of a row is the sum of its two parts. */
  add(row: number, max: number, sumExp: number, likelihood: number, smoothing: number, weight: number): void {
    const [losses, record] = this.outputs;
    const loss = likelihood + smoothing;
    record[row * 4] = max;
    record[row * 4 + 1] = sumExp;
    record[row * 4 + 2] = loss;
    record[row * 4 + 3] = weight;
    if (this.attrs.reduction === 'none') losses[row] = loss;
    this.likelihood += likelihood;
    this.smoothing += smoothing;
    this.weights += weight;
  }

  /** To be called when all rows have been added. */
  reduce(): void {
    const { likelihood, smoothing } = this;
    const { input, target } = this.inputs;
    const { dim, reduction, labelSmoothing } = this.attrs;
    const [loss, record, divisor] = this.outputs;
    divisor[0] = 1;
    if (reduction === 'sum') loss[0] = likelihood + smoothing;
    if (reduction !== 'mean') return;
    const isIndex = target.dtype === 'int32';
    const d = isIndex ? this.weights : input.shape[dim] === 0 ? 0 : record.length / 4;
    // PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity.
    loss[0] = likelihood / d + (isIndex && labelSmoothing > 0 ? smoothing / d : 0);
    divisor[0] = d;
  }
}
