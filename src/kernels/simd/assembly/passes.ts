/** The loops along a strand, each in two vectors a step, with what is the same for all steps in registers. */
import { addPromoted, Vector } from './math';
import { hasClassCoefficients, probabilityShare, uniformShare, weights, workspace } from './parameters';
import {
  across,
  EXP,
  foldMax,
  MASS,
  MAX,
  MINUS_K,
  PRODUCT,
  SCALE,
  SUM,
  steps,
  stride,
  TAIL,
  tailAt,
  tailSize,
  USED,
  WIDE,
  weightsStride,
} from './strand';

/** Steps that lanes are added up in float32 before they go into float64. */
const RUN: usize = 64;

// What a contiguous row has left at its end, if that is less than a step, goes through the loops here.
const X_TAIL = TAIL;
const Q_TAIL = TAIL + WIDE;
const WEIGHTS_TAIL = TAIL + 2 * WIDE;
const OUT_TAIL = TAIL + 3 * WIDE;

/** Fills it up with classes that count nothing. */
export function loadTail(x: usize, q: usize): void {
  for (let i: usize = 0; i < WIDE; i += 4) {
    const isThere = i < tailSize;
    const at = workspace + i;
    const from = tailAt + i;
    f32.store(at, isThere ? f32.load(x + from) : -Infinity, X_TAIL);
    f32.store(at, isThere && q ? f32.load(q + from) : 0, Q_TAIL);
    f32.store(at, isThere ? (weights ? f32.load(weights + from) : 1) : 0, WEIGHTS_TAIL);
  }
}

export function storeTail(out: usize): void {
  memory.copy(out + tailAt, workspace + OUT_TAIL, tailSize);
}

/** `max = max(max, x)`; where an x is NaN, so is the sum of the exponentials. */
export function findMax(x: usize): void {
  maxLoop(x, steps);
  if (tailSize) maxLoop(workspace + X_TAIL, 1);
  if (!across) foldMax();
}

function maxLoop(x: usize, n: usize): void {
  const step = stride;
  let a = v128.load(workspace, MAX);
  let b = v128.load(workspace, MAX + 16);
  let nanA = i32x4.splat(0);
  let nanB = i32x4.splat(0);
  for (; n; n--, x += step) {
    const xA = v128.load(x);
    const xB = v128.load(x, 16);
    a = f32x4.pmax(a, xA);
    b = f32x4.pmax(b, xB);
    nanA = v128.or(nanA, f32x4.ne(xA, xA));
    nanB = v128.or(nanB, f32x4.ne(xB, xB));
  }
  v128.store(workspace, a, MAX);
  v128.store(workspace, b, MAX + 16);
  // All bits of a lane that is true are 1, which is a NaN.
  addPromoted(workspace + SUM, nanA);
  addPromoted(workspace + SUM + 32, nanB);
}

/** `sum += exp(x - max)`; the exponentials are kept in `out`, if there is one. */
export function sumExponentials(x: usize, out: usize): void {
  exponentialsLoop(x, out, steps);
  if (tailSize) exponentialsLoop(workspace + X_TAIL, out ? workspace + OUT_TAIL : 0, 1);
}

function exponentialsLoop(x: usize, out: usize, n: usize): void {
  const maxA = v128.load(workspace, MAX);
  const maxB = v128.load(workspace, MAX + 16);
  const log2e = v128.load32_splat(workspace, EXP);
  const magic = v128.load32_splat(workspace, EXP + 4);
  const ln2High = v128.load32_splat(workspace, EXP + 8);
  const ln2Low = v128.load32_splat(workspace, EXP + 12);
  const c6 = v128.load32_splat(workspace, EXP + 16);
  const c5 = v128.load32_splat(workspace, EXP + 20);
  const c4 = v128.load32_splat(workspace, EXP + 24);
  const c3 = v128.load32_splat(workspace, EXP + 28);
  const half = v128.load32_splat(workspace, EXP + 32);
  const one = v128.load32_splat(workspace, EXP + 36);
  const lowest = v128.load32_splat(workspace, EXP + 40);
  const step = stride;
  // Exponentials that nobody wants are stored one over the other.
  const outStep: usize = out ? step : 0;
  if (!out) out = workspace + OUT_TAIL;
  while (n) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let left = min(n, RUN);
    n -= left;
    for (; left; left--, x += step, out += outStep) {
      const dA = f32x4.sub(v128.load(x), maxA);
      const eA = Vector.exp(dA, log2e, magic, ln2High, ln2Low, c6, c5, c4, c3, half, one, lowest);
      a = f32x4.add(a, eA);
      v128.store(out, eA);
      const dB = f32x4.sub(v128.load(x, 16), maxB);
      const eB = Vector.exp(dB, log2e, magic, ln2High, ln2Low, c6, c5, c4, c3, half, one, lowest);
      b = f32x4.add(b, eB);
      v128.store(out, eB, 16);
    }
    addPromoted(workspace + SUM, a);
    addPromoted(workspace + SUM + 32, b);
  }
}

class Coefficients {
  /** `(q * probabilityShare + uniformShare) * w` of four classes, without what is missing of it. */
  @inline
  static at(q: usize, w: usize, wStep: usize, shareOfQ: v128, share: v128): v128 {
    let g = share;
    if (q) g = Vector.madd(v128.load(q), shareOfQ, share);
    if (w) g = f32x4.mul(g, wStep === 4 ? v128.load32_splat(w) : v128.load(w));
    return g;
  }
}

/** `product += g * (max - x)`, a term with `g = 0` being 0 whatever x is, and `mass += g`, for all coefficients `g`. */
export function sumCoefficients(x: usize, q: usize): void {
  coefficientsLoop(x, q, weights, steps);
  if (tailSize) coefficientsLoop(workspace + X_TAIL, q ? workspace + Q_TAIL : 0, workspace + WEIGHTS_TAIL, 1);
}

function coefficientsLoop(x: usize, q: usize, w: usize, n: usize): void {
  const step = stride;
  const wStep = weightsStride;
  const shareOfQ = f32x4.splat(probabilityShare);
  const share = f32x4.splat(uniformShare);
  const zero = f32x4.splat(0);
  let lanes = workspace;
  for (let i: usize = 0; i < 2; i++) {
    const max = v128.load(lanes, MAX);
    let used = zero;
    let at: usize = 0;
    let wAt = w;
    for (let left = n; left; ) {
      let product = zero;
      let mass = zero;
      let some = min(left, RUN);
      left -= some;
      for (; some; some--, at += step) {
        const g = Coefficients.at(q ? q + at : 0, wAt, wStep, shareOfQ, share);
        const term = f32x4.mul(g, f32x4.sub(max, v128.load(x + at)));
        const isZero = f32x4.eq(g, zero);
        product = f32x4.add(product, v128.andnot(term, isZero));
        mass = f32x4.add(mass, g);
        used = v128.or(used, v128.not(isZero));
        if (w) wAt += wStep;
      }
      addPromoted(workspace + PRODUCT + (i << 5), product);
      addPromoted(workspace + MASS + (i << 5), mass);
    }
    v128.store(lanes, v128.or(v128.load(lanes, USED), used), USED);
    lanes += 16;
    x += 16;
    if (q) q += 16;
    if (w && wStep > 4) w += 16;
  }
}

/** `out = scale * out`, where that holds exponentials, plus `minusK * g` where classes have coefficients. */
export function scaleExponentials(q: usize, out: usize): void {
  scaleLoop(q, weights, out, steps);
  if (tailSize) scaleLoop(q ? workspace + Q_TAIL : 0, workspace + WEIGHTS_TAIL, workspace + OUT_TAIL, 1);
}

function scaleLoop(q: usize, w: usize, out: usize, n: usize): void {
  if (!hasClassCoefficients) {
    const scaleA = v128.load(workspace, SCALE);
    const scaleB = v128.load(workspace, SCALE + 16);
    const deadA = areDead(workspace);
    const deadB = areDead(workspace + 16);
    for (const step = stride; n; n--, out += step) {
      v128.store(out, v128.andnot(f32x4.mul(scaleA, v128.load(out)), deadA));
      v128.store(out, v128.andnot(f32x4.mul(scaleB, v128.load(out, 16)), deadB), 16);
    }
    return;
  }
  const step = stride;
  const wStep = weightsStride;
  const shareOfQ = f32x4.splat(probabilityShare);
  const share = f32x4.splat(uniformShare);
  for (let i: usize = 0; i < WIDE; i += 16) {
    const scale = v128.load(workspace + i, SCALE);
    const minusK = v128.load(workspace + i, MINUS_K);
    const dead = areDead(workspace + i);
    const ignored = areIgnored(workspace + i);
    let at = i;
    let wAt = w && wStep > 4 ? w + i : w;
    for (let left = n; left; left--, at += step) {
      const scaled = v128.andnot(f32x4.mul(scale, v128.load(out + at)), dead);
      const g = Coefficients.at(q ? q + at : 0, wAt, wStep, shareOfQ, share);
      v128.store(out + at, v128.andnot(Vector.madd(minusK, g, scaled), ignored));
      if (w) wAt += wStep;
    }
  }
}

/** Ignored rows are 0. */
function areIgnored(lanes: usize): v128 {
  return f32x4.eq(v128.load(lanes, MAX), f32x4.splat(Infinity));
}

/** And so is the first term of rows that count nothing, whatever their exponentials. */
function areDead(lanes: usize): v128 {
  return v128.or(areIgnored(lanes), f32x4.eq(v128.load(lanes, SCALE), f32x4.splat(0)));
}

/**
 * A log-softmax, `out = x - max - scale`, in this order: exact for large x; `scale` is the logarithm of the sum. Or else,
 * of a softmax `x`, the gradient `out = x * (q - scale)`, where `scale` is the mean of `q` under it.
 */
export function shift(x: usize, q: usize, out: usize): void {
  shiftLoop(x, q, out, steps);
  if (tailSize) shiftLoop(workspace + X_TAIL, q ? workspace + Q_TAIL : 0, workspace + OUT_TAIL, 1);
}

function shiftLoop(x: usize, q: usize, out: usize, n: usize): void {
  const step = stride;
  for (let i: usize = 0; i < WIDE; i += 16) {
    const max = v128.load(workspace + i, MAX);
    const scale = v128.load(workspace + i, SCALE);
    for (let left = n, at = i; left; left--, at += step) {
      let y = v128.load(x + at);
      if (q) y = f32x4.mul(y, f32x4.sub(v128.load(q + at), scale));
      else y = f32x4.sub(f32x4.sub(y, max), scale);
      v128.store(out + at, y);
    }
  }
}
