import { type ClassView, elementAt } from '../../contract/class-view';
import { expNonPositive } from './exp';
import type { Values } from './host';
import { weightOf } from './labels';
import { type Coefficients, coefficientsOf, type FinishedRow, finishRow, IGNORED, storeRecord } from './record';
import type { LossRows, RowKernels } from './row-kernels';

/**
 * The row kernels in plain JavaScript: what they compute, and what serves where WebAssembly or SIMD is missing or
 * forbidden. `simd/` does the same, row for row.
 */
export const javascript: RowKernels = {
  loss(rows, gradient) {
    const { view, x, labels, ignoreIndex, weights, gradientDivisor, record, correct } = rows;
    const coefficients = coefficientsOf(rows);
    let likelihoods = 0;
    let smoothings = 0;
    for (let r = 0; r < view.rows; r++) {
      const row = rowOf(view, r);
      if (labels?.[r] === ignoreIndex) {
        if (record) storeRecord(record, r, IGNORED);
        if (correct) correct[r] = 0;
        if (gradient) fill(gradient, row, 0);
        continue;
      }
      const max = maximum(x, row);
      const sum = gradient ? storeExp(x, row, max, gradient) : sumExp(x, row, max);
      const sums = {
        max,
        sum,
        ...(coefficients.hasClassCoefficients ? sumCoefficients(rows, row, coefficients, max) : NONE),
      };
      const weight = labels ? weightOf(labels[r], weights, ignoreIndex) : 1;
      const label = labels && {
        coefficient: coefficients.labelShare * weight,
        x: x[row.first + labels[r] * row.stride],
        weight,
      };
      const finished = finishRow(sums, label);
      likelihoods += finished.likelihood;
      smoothings += finished.smoothing;
      if (record) storeRecord(record, r, finished);
      if (correct) correct[r] = Number(finished.isCorrect);
      if (gradient) finishGradient(rows, r, row, coefficients, finished, 1 / gradientDivisor, gradient);
    }
    return { likelihoods, smoothings };
  },

  lossGradient(rows, dy, gradient) {
    const { view, x, labels, ignoreIndex, gradientDivisor, record } = rows;
    const coefficients = coefficientsOf(rows);
    for (let r = 0; r < view.rows; r++) {
      const row = rowOf(view, r);
      if (labels?.[r] === ignoreIndex) {
        fill(gradient, row, 0);
        continue;
      }
      const [max, massPerSum, , weight] = record!.subarray(4 * r, 4 * r + 4);
      const k = dy[dy.length > 1 ? r : 0] / gradientDivisor;
      storeExp(x, row, max, gradient);
      finishGradient(rows, r, row, coefficients, { massPerSum, weight }, k, gradient);
    }
  },

  softmax(x, view, out) {
    forEachRow(view, (row) => {
      const max = maximum(x, row);
      scaleRow(out, row, 1 / storeExp(x, row, max, out));
    });
  },

  logSoftmax(x, view, out) {
    forEachRow(view, (row) => {
      const { first, end, stride } = row;
      const max = maximum(x, row);
      const logSum = Math.log(sumExp(x, row, max));
      for (let i = first; i < end; i += stride) out[i] = x[i] - max - logSum;
    });
  },

  softmaxGradient(y, dy, view, out) {
    forEachRow(view, ({ first, end, stride }) => {
      let mean = 0;
      for (let i = first; i < end; i += stride) mean += dy[i] === 0 ? 0 : dy[i] * y[i];
      for (let i = first; i < end; i += stride) out[i] = y[i] * (dy[i] - mean);
    });
  },

  logSoftmaxGradient(x, dy, view, out) {
    forEachRow(view, (row) => {
      const { first, end, stride } = row;
      const max = maximum(x, row);
      const sum = storeExp(x, row, max, out);
      let mass = 0;
      for (let i = first; i < end; i += stride) mass += dy[i];
      for (let i = first; i < end; i += stride) out[i] = dy[i] - (mass / sum) * out[i];
    });
  },

  scale(x, { outer, classes, inner }, dy, upstream) {
    if (dy.length === 1) scaleSpan(x, 0, x.length, dy[0] / upstream);
    else if (inner === 1) dy.forEach((k, r) => void scaleSpan(x, r * classes, (r + 1) * classes, k / upstream));
    else {
      const factors = Float64Array.from(dy, (k) => k / upstream); // as float32 some would be 0
      for (let o = 0, i = 0; o < outer; o++) {
        const [first, end] = [o * inner, (o + 1) * inner];
        for (let c = 0; c < classes; c++) for (let r = first; r < end; r++, i++) x[i] *= factors[r];
      }
    }
  },

  addProduct(to, { x, w, g, features }) {
    const [rows, units] = [x.length / features, w.length / features];
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < units; c++) {
        const [xAt, wAt, gAt] = [r * features, c * features, r * units + c];
        if (to === 'g') g[gAt] += dot(x, xAt, w, wAt, features);
        else if (to === 'x') addTimes(x, xAt, g[gAt], w, wAt, features);
        else addTimes(w, wAt, g[gAt], x, xAt, features);
      }
    }
  },
};

function dot(a: Values, aAt: number, b: Values, bAt: number, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += a[aAt + i] * b[bAt + i];
  return sum;
}

/** `to += k * from`, from element to element. */
function addTimes(to: Values, toAt: number, k: number, from: Values, fromAt: number, size: number): void {
  for (let i = 0; i < size; i++) to[toAt + i] += k * from[fromAt + i];
}

/** Where the classes of a row are. */
interface Row {
  readonly first: number;
  readonly end: number;
  readonly stride: number;
}

function rowOf(view: ClassView, r: number): Row {
  const first = elementAt(r, 0, view);
  return { first, end: first + view.classes * view.inner, stride: view.inner };
}

function forEachRow(view: ClassView, f: (row: Row) => void): void {
  for (let r = 0; r < view.rows; r++) f(rowOf(view, r));
}

// Loops of their own, each with few variables, are what V8 compiles best.

/**
 * From the lowest number on: from -Infinity nothing can be subtracted. So the exponentials of -Infinity alone add up to 0,
 * and those of a row that holds NaN or Infinity to NaN: either way results are NaN.
 */
function maximum(x: Values, { first, end, stride }: Row): number {
  let max = -3.4028234663852886e38;
  for (let i = first; i < end; i += stride) if (x[i] > max) max = x[i];
  return max;
}

function sumExp(x: Values, { first, end, stride }: Row, max: number): number {
  let sum = 0;
  for (let i = first; i < end; i += stride) sum += expNonPositive(x[i] - max);
  return sum;
}

function storeExp(x: Values, { first, end, stride }: Row, max: number, out: Values): number {
  let sum = 0;
  for (let i = first; i < end; i += stride) {
    const e = expNonPositive(x[i] - max);
    sum += e;
    out[i] = e;
  }
  return sum;
}

function fill(out: Values, { first, end, stride }: Row, value: number): void {
  for (let i = first; i < end; i += stride) out[i] = value;
}

function scaleRow(out: Values, { first, end, stride }: Row, scale: number): void {
  for (let i = first; i < end; i += stride) out[i] *= scale;
}

/** Four at a time, which takes V8 half as long. */
function scaleSpan(x: Values, first: number, end: number, k: number): void {
  if (k === 1) return;
  let i = first;
  for (; i < end - 3; i += 4) {
    x[i] *= k;
    x[i + 1] *= k;
    x[i + 2] *= k;
    x[i + 3] *= k;
  }
  for (; i < end; i++) x[i] *= k;
}

const NONE = { product: 0, mass: 0, isUsed: false };

/** The coefficient of class `c`, at element `i`. */
function coefficient({ probabilities, weights }: LossRows, coefficients: Coefficients, c: number, i: number): number {
  const { probabilityShare, uniformShare } = coefficients;
  const q = probabilities ? probabilities[i] * probabilityShare + uniformShare : uniformShare;
  return weights ? q * weights[c] : q;
}

function sumCoefficients(rows: LossRows, { first, end, stride }: Row, coefficients: Coefficients, max: number) {
  const { x } = rows;
  let product = 0;
  let mass = 0;
  let isUsed = false;
  for (let i = first, c = 0; i < end; i += stride, c++) {
    const g = coefficient(rows, coefficients, c, i);
    if (g === 0) continue;
    product += g * (max - x[i]);
    mass += g;
    isUsed = true;
  }
  return { product, mass, isUsed };
}

/** `scale * exp(x - max) - k * g`, from the exponentials; a scale of 0 gives 0 whatever they are. */
function finishGradient(
  rows: LossRows,
  r: number,
  row: Row,
  coefficients: Coefficients,
  { massPerSum, weight }: Pick<FinishedRow, 'massPerSum' | 'weight'>,
  k: number,
  gradient: Values,
): void {
  const { first, end, stride } = row;
  const scale = k * massPerSum;
  if (scale === 0) fill(gradient, row, 0);
  else scaleRow(gradient, row, scale);
  if (coefficients.hasClassCoefficients) {
    for (let i = first, c = 0; i < end; i += stride, c++) gradient[i] -= k * coefficient(rows, coefficients, c, i);
  }
  if (rows.labels) gradient[first + rows.labels[r] * stride] -= k * coefficients.labelShare * weight;
}
