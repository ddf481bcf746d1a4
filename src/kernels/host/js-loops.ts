import { expNonPositive } from './exp';
import { LANES, type RowLoops, TILE } from './row-loops';

const lanes = () => new Float64Array(LANES);
const { max, scale, turn, sum, product, mass } = {
  max: lanes(),
  scale: lanes(),
  turn: lanes(),
  sum: lanes(),
  product: lanes(),
  mass: lanes(),
};

/** In plain JavaScript, wherever the elements are. */
export const jsLoops: RowLoops = {
  max,
  scale,
  turn,
  sum,
  product,
  mass,
  scratch: [new Float32Array(TILE), new Float32Array(TILE)],
  within: () => true,

  peak({ rows, classes, rowStride, classStride }, x) {
    for (let r = 0; r < rows; r++) {
      let best = max[r];
      for (let c = 0, j = r * rowStride; c < classes; c++, j += classStride) {
        if (x[j] > best) best = x[j];
      }
      max[r] = best;
    }
  },

  exponentials({ rows, classes, rowStride, classStride }, x, out, g) {
    for (let r = 0; r < rows; r++) {
      const start = r * rowStride;
      const end = start + classes * classStride;
      const m = max[r];
      if (m === Number.POSITIVE_INFINITY) {
        if (out) for (let j = start; j < end; j += classStride) out[j] = 0;
        continue;
      }
      const [s, t] = [scale[r], turn[r]];
      let total = 0;
      for (let j = start; j < end; j += classStride) {
        const e = expNonPositive(x[j] - m);
        total += e;
        if (out) out[j] = g ? s * e + t * g[j] : s * e;
      }
      sum[r] += total;
    }
  },

  dot({ rows, classes, rowStride, classStride }, x, g) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0, j = r * rowStride; c < classes; c++, j += classStride) {
        if (g[j] !== 0) product[r] += g[j] * (max[r] - x[j]);
        mass[r] += g[j];
      }
    }
  },

  logProbs({ rows, classes, rowStride, classStride }, x, out) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0, j = r * rowStride; c < classes; c++, j += classStride) out[j] = x[j] - max[r] - scale[r];
    }
  },

  centred({ rows, classes, rowStride, classStride }, x, g, out) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0, j = r * rowStride; c < classes; c++, j += classStride) out[j] = x[j] * (g[j] - scale[r]);
    }
  },

  scaled({ rows, classes, rowStride, classStride }, x, out, g) {
    for (let r = 0; r < rows; r++) {
      const [s, t] = [scale[r], turn[r]];
      const dead = max[r] === Number.POSITIVE_INFINITY;
      for (let c = 0, j = r * rowStride; c < classes; c++, j += classStride) {
        out[j] = dead ? 0 : g ? s * x[j] + t * g[j] : s * x[j];
      }
    }
  },
};
