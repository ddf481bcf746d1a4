import { expNonPositive } from './exp';
import type { Values } from './host';
import type { Run } from './page';
import * as layout from './page-layout';

const lanes = () => new Float64Array(layout.LANES);
const [max, scale, turn, picked, sum, product, mass] = [lanes(), lanes(), lanes(), lanes(), lanes(), lanes(), lanes()];

/** `simd/assembly/index.ts` in JavaScript, on any memory: for where WebAssembly or SIMD is missing or forbidden. */
export function jsRun(floats: Values, ints: Int32Array, doubles: Float64Array): Run {
  return (base, operations, rows, classes, step, distance, firstClass, x0, q0, ws, out0, labels, dys, records) => {
    const slices = (to: number, toStep: number, from: number, fromStep: number): number => {
      for (let c = 0; c < classes; c++) {
        const start = (from + c * fromStep) >>> 2;
        floats.copyWithin((to + c * toStep) >>> 2, start, start + rows);
      }
      return to;
    };
    const xs = distance > 0 ? slices(base + layout.TILES, step, x0, distance) : x0;
    const qs = distance > 0 && q0 > 0 ? slices(base + layout.Q_TILE, step, q0, distance) : q0;
    const outs = distance > 0 && out0 > 0 ? xs : out0;
    const does = (operation: number) => (operations & operation) !== 0;
    const float = (parameter: number) => floats[(base + parameter) >>> 2];
    const double = (parameter: number) => doubles[(base + parameter) >>> 3];
    const stride = step > 0 ? step >>> 2 : 1;
    const length = classes * stride;
    const ignoreIndex = ints[(base + layout.IGNORE_INDEX) >>> 2];
    const dyStep = ints[(base + layout.DY_STEP) >>> 2] >>> 2;
    const labelShare = double(layout.LABEL_SHARE);
    const [qShare, share] = [float(layout.Q_SHARE), float(layout.SHARE)];

    for (let r = 0; r < rows; r++) {
      const lane = step > 0 ? r : 0;
      const first = step > 0 ? r : r * classes;
      const x = (xs >>> 2) + first;
      const q = qs > 0 ? (qs >>> 2) + first - x : 0; // from an element of x to that of q
      const w = ws >>> 2;
      const out = outs > 0 ? (outs >>> 2) + first - x : 0;
      const row = (records >>> 2) + 4 * r;
      const label = labels > 0 ? ints[(labels >>> 2) + r] : 0;
      const ignored = labels > 0 && label === ignoreIndex;
      const labelAt = labels > 0 && label >= firstClass && label < firstClass + classes ? label - firstClass : -1;
      const end = x + length;
      const coefficient = (i: number) => {
        const g = qs > 0 ? floats[i + q] * qShare + share : share;
        return ws > 0 ? g * floats[w + (i - x) / stride] : g;
      };
      const recall = () => {
        const k = floats[(dys >>> 2) + r * dyStep] * double(layout.PER_DIVISOR);
        max[lane] = floats[row];
        scale[lane] = (k * (labelShare * floats[row + 3] + double(layout.SPREAD_MASS))) / floats[row + 1];
        turn[lane] = -k;
      };

      if (ignored) {
        if (does(layout.FINISH_LOSS)) floats.set(IGNORED, row);
        if (outs > 0) for (let i = x; i < end; i += stride) floats[i + out] = 0;
        continue;
      }
      if (does(layout.START)) {
        max[lane] = float(layout.LOWEST);
        picked[lane] = sum[lane] = product[lane] = mass[lane] = 0;
      }
      if (does(layout.RECALL)) recall();
      if (does(layout.PEAK)) {
        let best = max[lane];
        for (let i = x; i < end; i += stride) if (floats[i] > best) best = floats[i];
        max[lane] = best;
        if (labelAt >= 0) picked[lane] = floats[x + labelAt * stride];
      }
      if (does(layout.DOT)) {
        for (let i = x; i < end; i += stride) {
          const g = coefficient(i);
          if (g !== 0) product[lane] += g * (max[lane] - floats[i]);
          mass[lane] += g;
        }
      }
      if (does(layout.EXPONENTIALS)) {
        const m = max[lane];
        const keep = does(layout.KEEP);
        let total = 0;
        for (let i = x; i < end; i += stride) {
          const e = expNonPositive(floats[i] - m);
          total += e;
          if (keep) floats[i + out] = e;
        }
        sum[lane] += total;
      }
      if (does(FINISHES) && !(sum[lane] > 0)) {
        // NaN or Infinity is in the row, or nothing but -Infinity.
        sum[lane] = Number.NaN;
        max[lane] = 0;
      }
      if (does(layout.FINISH_LOSS)) {
        const logSum = Math.log(sum[lane]);
        const spread = product[lane] === 0 && mass[lane] === 0 ? 0 : product[lane] + mass[lane] * logSum;
        let likelihood = spread;
        let smoothing = 0;
        if (labels > 0) {
          const atLabel = labelShare * floats[row + 3];
          // -logProb is (max - x) + logSum, in this order: exact for a row whose loss is almost 0.
          likelihood = atLabel === 0 ? 0 : atLabel * (max[lane] - picked[lane] + logSum);
          smoothing = spread;
        } else {
          floats[row + 3] = mass[lane];
        }
        doubles[(base + layout.LIKELIHOOD) >>> 3] += likelihood;
        doubles[(base + layout.SMOOTHING) >>> 3] += smoothing;
        floats[row] = max[lane];
        floats[row + 1] = sum[lane];
        floats[row + 2] = likelihood + smoothing;
        if (does(layout.KEEP)) recall();
      }
      if (does(layout.FINISH_LOG_SOFTMAX)) scale[lane] = Math.log(sum[lane]);
      if (does(layout.FINISH_SOFTMAX)) scale[lane] = 1 / sum[lane];
      if (does(layout.FINISH_SOFTMAX_GRAD)) scale[lane] = -product[lane]; // the mean of dy under the softmax
      if (does(layout.FINISH_LOG_SOFTMAX_GRAD)) {
        scale[lane] = -mass[lane] / sum[lane];
        turn[lane] = 1;
      }
      const [s, t, m] = [scale[lane], turn[lane], max[lane]];
      if (does(layout.SCALED)) {
        const spread = does(layout.SPREAD);
        for (let i = x; i < end; i += stride) {
          floats[i + out] = spread ? s * floats[i + out] + t * coefficient(i) : s * floats[i + out];
        }
        if (labelAt >= 0) floats[x + out + labelAt * stride] += t * labelShare * floats[row + 3];
      }
      if (does(layout.LOG_PROBS)) for (let i = x; i < end; i += stride) floats[i + out] = floats[i] - m - s;
      if (does(layout.CENTRED)) for (let i = x; i < end; i += stride) floats[i + out] = floats[i] * (floats[i + q] - s);
    }
    if (distance > 0 && out0 > 0) slices(out0, distance, outs, step);
  };
}

/** Of a record, what is before the row's weight. */
const IGNORED = [0, 1, 0];

const FINISHES =
  layout.FINISH_LOSS |
  layout.FINISH_LOG_SOFTMAX |
  layout.FINISH_SOFTMAX |
  layout.FINISH_LOG_SOFTMAX_GRAD |
  layout.FINISH_SOFTMAX_GRAD;
