import { expNonPositive } from './exp';
import type { Values } from './host';
import type { Run } from './page';
import * as layout from './page-layout';

// What is known of a row while it is worked on; a contiguous one always has the first lane.
const lanes = () => new Float64Array(layout.LANES);
const [maxima, scales, turns, picked, sums, products, masses] = Array.from({ length: 7 }, lanes);

/** `simd/assembly/index.ts` in JavaScript, on any memory: for where WebAssembly or SIMD is missing or forbidden. */
export function jsRun(floats: Values, ints: Int32Array, doubles: Float64Array): Run {
  return (base, does, rows, classes, step, distance, firstClass, xs, qs, ws, outs, labels, dys, records) => {
    const double = (parameter: number) => doubles[(base + parameter) >>> 3];
    const float = (parameter: number) => floats[(base + parameter) >>> 2];
    const int = (parameter: number) => ints[(base + parameter) >>> 2];
    const result = outs;
    if (distance > 0) {
      xs = copySlices(base + layout.TILES, step, xs, distance);
      if (qs > 0) qs = copySlices(base + layout.Q_TILE, step, qs, distance);
      if (outs > 0) outs = xs;
    }
    const across = step > 0;
    const stride = across ? step >>> 2 : 1;
    const size = classes * stride;
    const ignoreIndex = int(layout.IGNORE_INDEX);
    const dyStep = int(layout.DY_STEP) >>> 2;
    const labelShare = double(layout.LABEL_SHARE);
    const perDivisor = double(layout.PER_DIVISOR);
    const spreadMass = double(layout.SPREAD_MASS);
    const spread: Spread = {
      q: qs > 0,
      w: ws > 0,
      qShare: float(layout.Q_SHARE),
      share: float(layout.SHARE),
    };
    const isWeighted = int(layout.WEIGHTED) > 0;
    let likelihoods = 0;
    let smoothings = 0;

    for (let r = 0; r < rows; r++) {
      const lane = across ? r : 0;
      const first = across ? r : r * classes;
      const [x, q, w, out] = [(xs >>> 2) + first, (qs >>> 2) + first, ws >>> 2, (outs >>> 2) + first];
      const row = (records >>> 2) + 4 * r;
      const label = labels > 0 ? ints[(labels >>> 2) + r] : 0;
      if (labels > 0 && label === ignoreIndex) {
        if (does & layout.FINISH_LOSS) floats.set(IGNORED, row);
        if (outs > 0) for (let i = out; i < out + size; i += stride) floats[i] = 0;
        continue;
      }
      const isHere = labels > 0 && label >= firstClass && label < firstClass + classes;
      const labelAt = (label - firstClass) * stride;
      if (does & layout.START) {
        maxima[lane] = float(layout.LOWEST);
        picked[lane] = sums[lane] = products[lane] = masses[lane] = 0;
      }
      if (does & layout.PEAK) {
        maxima[lane] = peak(floats, x, size, stride, maxima[lane]);
        if (isHere) picked[lane] = floats[x + labelAt];
      }
      let max = does & layout.RECALL ? floats[row] : maxima[lane];
      if (does & layout.DOT) {
        const { product, mass } = dot(floats, x, size, stride, max, spread, q, w);
        products[lane] += product;
        masses[lane] += mass;
      }
      if (does & layout.EXPONENTIALS) {
        sums[lane] +=
          does & layout.KEEP ? exponentials(floats, x, size, stride, max, out) : sumExp(floats, x, size, stride, max);
      }
      let sum = sums[lane];
      const [product, mass] = [products[lane], masses[lane]];
      if (does & layout.FINISHES) {
        if (!(sum > 0)) {
          // NaN or Infinity is in the row, or nothing but -Infinity.
          sum = Number.NaN;
          max = 0;
        }
        maxima[lane] = max;
        turns[lane] = 1;
      }
      if (does & layout.FINISH_LOSS) {
        const logSum = Math.log(sum);
        let likelihood = product + (mass === 0 ? 0 : mass * logSum);
        let smoothing = 0;
        if (labels > 0) {
          smoothing = likelihood;
          if (!isWeighted) floats[row + 3] = 1;
          const atLabel = labelShare * floats[row + 3];
          // -logProb is (max - x) + logSum, in this order: exact for a row whose loss is almost 0.
          likelihood = atLabel === 0 ? 0 : atLabel * (max - picked[lane] + logSum);
        } else {
          floats[row + 3] = mass;
        }
        likelihoods += likelihood;
        smoothings += smoothing;
        floats[row] = max;
        floats[row + 1] = sum;
        floats[row + 2] = likelihood + smoothing;
      }
      if (does & layout.RECALL || (does & layout.FINISH_LOSS && does & layout.KEEP)) {
        const k = floats[(dys >>> 2) + r * dyStep] * perDivisor;
        maxima[lane] = max;
        scales[lane] = (k * (labelShare * floats[row + 3] + spreadMass)) / floats[row + 1];
        turns[lane] = -k;
      }
      if (does & layout.FINISH_LOG_SOFTMAX) scales[lane] = Math.log(sum);
      if (does & layout.FINISH_SOFTMAX) scales[lane] = 1 / sum;
      if (does & layout.FINISH_LOG_SOFTMAX_GRAD) scales[lane] = -mass / sum;
      if (does & layout.FINISH_SOFTMAX_GRAD) scales[lane] = -product; // the mean of dy under the softmax
      if (does & layout.SCALED) {
        if (does & layout.SPREAD) scaledLess(floats, out, size, stride, scales[lane], turns[lane], spread, q, w);
        else scaled(floats, out, size, stride, scales[lane]);
        if (isHere) floats[out + labelAt] += turns[lane] * labelShare * floats[row + 3];
      }
      if (does & layout.LOG_PROBS) logProbs(floats, x, size, stride, maxima[lane], scales[lane], out);
      if (does & layout.CENTRED) centred(floats, x, size, stride, scales[lane], q, out);
    }
    doubles[(base + layout.LIKELIHOOD) >>> 3] += likelihoods;
    doubles[(base + layout.SMOOTHING) >>> 3] += smoothings;
    if (distance > 0 && result > 0) copySlices(result, distance, xs, step);

    function copySlices(to: number, toStep: number, from: number, fromStep: number): number {
      for (let c = 0; c < classes; c++) {
        const start = (from + c * fromStep) >>> 2;
        floats.copyWithin((to + c * toStep) >>> 2, start, start + rows);
      }
      return to;
    }
  };
}

/** The record of an ignored row. */
const IGNORED = [0, 1, 0, 0];

/** What classes count: `(q * qShare + share) * w`, without what is missing of it. */
interface Spread {
  readonly q: boolean;
  readonly w: boolean;
  readonly qShare: number;
  readonly share: number;
}

// The loops: each along one row, `size` floats with a class every `stride`.

function peak(floats: Values, x: number, size: number, stride: number, max: number): number {
  let best = max;
  for (let i = x; i < x + size; i += stride) if (floats[i] > best) best = floats[i];
  return best;
}

function sumExp(floats: Values, x: number, size: number, stride: number, max: number): number {
  let sum = 0;
  for (let i = x; i < x + size; i += stride) sum += expNonPositive(floats[i] - max);
  return sum;
}

function exponentials(floats: Values, x: number, size: number, stride: number, max: number, out: number): number {
  let sum = 0;
  for (let i = x, o = out; i < x + size; i += stride, o += stride) {
    const e = expNonPositive(floats[i] - max);
    sum += e;
    floats[o] = e;
  }
  return sum;
}

function coefficient(floats: Values, { q, w, qShare, share }: Spread, qAt: number, wAt: number): number {
  const g = q ? floats[qAt] * qShare + share : share;
  return w ? g * floats[wAt] : g;
}

function dot(
  floats: Values,
  x: number,
  size: number,
  stride: number,
  max: number,
  spread: Spread,
  q: number,
  w: number,
) {
  let product = 0;
  let mass = 0;
  for (let i = 0, c = w; i < size; i += stride, c++) {
    const g = coefficient(floats, spread, q + i, c);
    if (g !== 0) product += g * (max - floats[x + i]);
    mass += g;
  }
  return { product, mass };
}

function scaled(floats: Values, out: number, size: number, stride: number, scale: number): void {
  for (let i = out; i < out + size; i += stride) floats[i] *= scale;
}

function scaledLess(
  floats: Values,
  out: number,
  size: number,
  stride: number,
  scale: number,
  turn: number,
  spread: Spread,
  q: number,
  w: number,
): void {
  for (let i = 0, c = w; i < size; i += stride, c++) {
    floats[out + i] = scale * floats[out + i] + turn * coefficient(floats, spread, q + i, c);
  }
}

function logProbs(
  floats: Values,
  x: number,
  size: number,
  stride: number,
  max: number,
  logSum: number,
  out: number,
): void {
  for (let i = 0; i < size; i += stride) floats[out + i] = floats[x + i] - max - logSum;
}

function centred(floats: Values, x: number, size: number, stride: number, mean: number, q: number, out: number): void {
  for (let i = 0; i < size; i += stride) floats[out + i] = floats[x + i] * (floats[q + i] - mean);
}
