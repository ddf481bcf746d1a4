import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import type { Kernels } from '../../ops/contracts';
import { expNonPositive } from './exp';
import { type HostBackend, read, write } from './host';
import { forEachBlock } from './rows';

type Cpu = Kernels<HostBackend>;

/** The largest element of a row; a NaN need not win, it shows in the sum of exponentials. */
export function maxOf(x: Float32Array, start: number, end: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let j = start; j < end; j++) {
    if (x[j] > max) max = x[j];
  }
  return max;
}

/** The sum of exp(x - max), in float64: NaN for a row that holds NaN or +Infinity, or nothing but -Infinity. */
export function sumExpOf(x: Float32Array, start: number, end: number, max: number): number {
  let sum = 0;
  for (let j = start; j < end; j++) sum += expNonPositive(x[j] - max);
  return sum;
}

export const logSoftmax: Cpu['LogSoftmaxDim'] = ({ x }, { dim }, backend) =>
  mapRows([x], dim, backend, ([x], out, start, end) => {
    const max = maxOf(x, start, end);
    const logSum = Math.log(sumExpOf(x, start, end, max));
    for (let j = start; j < end; j++) out[j] = x[j] - max - logSum;
  });

export const logSoftmaxGrad: Cpu['LogSoftmaxDimGrad'] = ({ dy, x }, { dim }, backend) =>
  mapRows([dy, x], dim, backend, ([dy, x], out, start, end) => {
    const max = maxOf(x, start, end);
    const sum = sumExpOf(x, start, end, max);
    let total = 0;
    for (let j = start; j < end; j++) total += dy[j];
    const scale = total / sum;
    for (let j = start; j < end; j++) out[j] = dy[j] - scale * expNonPositive(x[j] - max);
  });

export const softmax: Cpu['SoftmaxDim'] = ({ x }, { dim }, backend) =>
  mapRows([x], dim, backend, ([x], out, start, end) => {
    const max = maxOf(x, start, end);
    let sum = 0;
    for (let j = start; j < end; j++) {
      const e = expNonPositive(x[j] - max);
      out[j] = e;
      sum += e;
    }
    for (let j = start; j < end; j++) out[j] /= sum;
  });

export const softmaxGrad: Cpu['SoftmaxDimGrad'] = ({ dy, y }, { dim }, backend) =>
  mapRows([dy, y], dim, backend, ([dy, y], out, start, end) => {
    let mean = 0;
    for (let j = start; j < end; j++) mean += dy[j] * y[j];
    for (let j = start; j < end; j++) out[j] = y[j] * (dy[j] - mean);
  });

type RowFunction = (sources: readonly Float32Array[], out: Float32Array, start: number, end: number) => void;

/** A tensor like the first input whose rows `f` fills. */
function mapRows(inputs: TensorInfo[], dim: number, backend: HostBackend, f: RowFunction): TensorInfo {
  const { shape } = inputs[0];
  const view = classView(shape, dim);
  const result = new Float32Array(view.rows * view.classes);
  const values = inputs.map((input) => read(backend, input));
  forEachBlock(view, values, result, ({ count, start, sources, out }) => {
    for (let r = 0, from = start; r < count; r++, from += view.classes) f(sources, out, from, from + view.classes);
  });
  return write(backend, shape, result);
}
