import { rowShape } from '../../ops/class-view';
import type { LossAttrs, LossInputs, LossOutputs } from '../../ops/contracts';
import { type HostBackend, write } from './host';

/** Collects the records of the rows, and reduces them in float64. */
export class RowRecords {
  readonly record: Float32Array;
  private likelihood = 0;
  private smoothing = 0;
  private weights = 0;

  constructor(rows: number) {
    this.record = new Float32Array(rows * 4);
  }

  /** The loss of a row is the sum of its two parts. */
  add(row: number, max: number, sumExp: number, likelihood: number, smoothing: number, weight: number): void {
    const { record } = this;
    record[row * 4] = max;
    record[row * 4 + 1] = sumExp;
    record[row * 4 + 2] = likelihood + smoothing;
    record[row * 4 + 3] = weight;
    this.likelihood += likelihood;
    this.smoothing += smoothing;
    this.weights += weight;
  }

  outputs(
    backend: HostBackend,
    { input, target }: LossInputs,
    { dim, reduction, labelSmoothing }: LossAttrs,
  ): LossOutputs {
    const { record, likelihood, smoothing } = this;
    const rows = record.length / 4;
    const scalar = (value: number) => write(backend, [], Float32Array.of(value));
    const recordInfo = () => write(backend, [rows, 4], record);
    if (reduction === 'none') {
      const losses = Float32Array.from({ length: rows }, (_, row) => record[row * 4 + 2]);
      return [write(backend, rowShape(input.shape, dim), losses), recordInfo(), scalar(1)];
    }
    if (reduction === 'sum') return [scalar(likelihood + smoothing), recordInfo(), scalar(1)];
    const isIndex = target.dtype === 'int32';
    const divisor = isIndex ? this.weights : input.shape[dim] === 0 ? 0 : rows;
    // PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity.
    const mean = likelihood / divisor + (isIndex && labelSmoothing > 0 ? smoothing / divisor : 0);
    return [scalar(mean), recordInfo(), scalar(divisor)];
  }
}
