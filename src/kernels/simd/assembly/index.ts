/**
 * The inner loops over tiles of rows, four float32 at a time. What belongs to a row lies in the lanes of `layout.ts`.
 *
 * A tile is `[rows, classes]`, or `[classes, rows]` with the rows padded to whole vectors ("across"). Either way the
 * work is done in *strands*: vectors a constant step apart whose four lanes belong to the same four rows. Across, that
 * is four columns; a contiguous row is a strand as well, whose four lanes are folded into one at its end.
 */
import {
  CENTRED,
  CONSTANTS,
  DOT,
  EXPONENTIALS,
  LANES,
  LOG_PROBS,
  MASS,
  MAX,
  PEAK,
  PRODUCT,
  SCALE,
  SCALED,
  SUM,
  TAIL,
  TURN,
} from '../layout';

/** Runs an operation on a tile. `g` and `out` are 0 where there is none. */
export function run(
  op: i32,
  base: usize,
  rows: usize,
  classes: usize,
  across: bool,
  x: usize,
  g: usize,
  out: usize,
): void {
  if (across) {
    const step = (rows + 3) & ~3;
    for (let r: usize = 0; r < rows; r += 4) {
      const offset = r << 2;
      strand(op, base, r, x + offset, g ? g + offset : 0, out ? out + offset : 0, classes, step << 2);
    }
    return;
  }
  const size = classes << 2;
  for (let r: usize = 0; r < rows; r++) {
    row(op, base, r, x, g, out, size);
    x += size;
    if (g) g += size;
    if (out) out += size;
  }
}

/** A row of `size` contiguous bytes: a strand in the last four lanes, and what is left of less than a vector. */
function row(op: i32, base: usize, r: usize, x: usize, g: usize, out: usize, size: usize): void {
  const max = base + (r << 2);
  if (op !== DOT && f32.load(max, MAX) === Infinity) {
    if (out) memory.fill(out, 0, size);
    return;
  }
  const sum = base + (r << 3);
  const lanes = base + (LANES << 2);
  const sums = base + (LANES << 3);
  v128.store(lanes, v128.load32_splat(max, MAX), MAX);
  v128.store(lanes, v128.load32_splat(max, SCALE), SCALE);
  v128.store(lanes, v128.load32_splat(max, TURN), TURN);
  zero(sums + SUM);
  zero(sums + PRODUCT);
  zero(sums + MASS);

  const whole = size & ~15;
  strand(op, base, LANES, x, g, out, size >> 4, 16);
  if (whole < size) {
    const slot = base + TAIL;
    v128.store(slot, f32x4.splat(-Infinity));
    copy(slot, x + whole, size - whole);
    v128.store(slot, i32x4.splat(0), 16);
    if (g) copy(slot + 16, g + whole, size - whole);
    strand(op, base, LANES, slot, g ? slot + 16 : 0, out ? slot + 32 : 0, 1, 16);
    if (out) copy(out + whole, slot + 32, size - whole);
  }

  if (op === PEAK) {
    const a = Mathf.max(f32.load(lanes, MAX), f32.load(lanes, MAX + 4));
    f32.store(max, Mathf.max(a, Mathf.max(f32.load(lanes, MAX + 8), f32.load(lanes, MAX + 12))), MAX);
  } else {
    f64.store(sum, f64.load(sum, SUM) + folded(sums + SUM), SUM);
    f64.store(sum, f64.load(sum, PRODUCT) + folded(sums + PRODUCT), PRODUCT);
    f64.store(sum, f64.load(sum, MASS) + folded(sums + MASS), MASS);
  }
}

function zero(totals: usize): void {
  v128.store(totals, i32x4.splat(0));
  v128.store(totals, i32x4.splat(0), 16);
}

function folded(totals: usize): f64 {
  return f64.load(totals) + f64.load(totals, 8) + (f64.load(totals, 16) + f64.load(totals, 24));
}

/** Copies less than a vector. */
function copy(to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) f32.store(to + i, f32.load(from + i));
}

/** `n` vectors, `step` bytes apart, of the rows in the lanes from `lane` on. */
function strand(op: i32, base: usize, lane: usize, x: usize, g: usize, out: usize, n: usize, step: usize): void {
  const lanes = base + (lane << 2);
  const sums = base + (lane << 3);
  switch (op) {
    case PEAK:
      peak(lanes, x, n, step);
      break;
    case EXPONENTIALS:
      exponentials(base, lanes, sums, x, g, out, n, step);
      break;
    case DOT:
      dot(lanes, sums, x, g, n, step);
      break;
    case LOG_PROBS:
      logProbs(lanes, x, out, n, step);
      break;
    case CENTRED:
      centred(lanes, x, g, out, n, step);
      break;
    case SCALED:
      scaled(lanes, x, g, out, n, step);
      break;
  }
}

/** `max = max(max, x)`, not minding NaN. */
function peak(lanes: usize, x: usize, n: usize, step: usize): void {
  let max = v128.load(lanes, MAX);
  for (; n; n--, x += step) max = f32x4.pmax(max, v128.load(x));
  v128.store(lanes, max, MAX);
}

/** `sum += exp(x - max)` and, where wanted, `out = scale * exp(x - max) + turn * g`; 0 where max is Infinity. */
function exponentials(
  base: usize,
  lanes: usize,
  sums: usize,
  x: usize,
  g: usize,
  out: usize,
  n: usize,
  step: usize,
): void {
  const max = v128.load(lanes, MAX);
  const dead = f32x4.eq(max, f32x4.splat(Infinity));
  const scale = v128.load(lanes, SCALE);
  const turn = v128.load(lanes, TURN);
  // From memory: engines would put literals into registers anew for every vector.
  const log2e = v128.load32_splat(base, CONSTANTS);
  const magic = v128.load32_splat(base, CONSTANTS + 4);
  const ln2High = v128.load32_splat(base, CONSTANTS + 8);
  const ln2Low = v128.load32_splat(base, CONSTANTS + 12);
  const c6 = v128.load32_splat(base, CONSTANTS + 16);
  const c5 = v128.load32_splat(base, CONSTANTS + 20);
  const c4 = v128.load32_splat(base, CONSTANTS + 24);
  const c3 = v128.load32_splat(base, CONSTANTS + 28);
  const half = v128.load32_splat(base, CONSTANTS + 32);
  const one = v128.load32_splat(base, CONSTANTS + 36);
  const lowest = v128.load32_splat(base, CONSTANTS + 40);
  while (n) {
    let sum = f32x4.splat(0);
    let rest = min(n, RUN);
    n -= rest;
    for (; rest; rest--, x += step) {
      const d = f32x4.sub(v128.load(x), max);
      // 2^k next to exp(d): adding 1.5 * 2^23 rounds to an integer k, which is then in the low bits.
      const rounded = madd(d, log2e, magic);
      const k = f32x4.sub(rounded, magic);
      const r = madd(k, ln2Low, madd(k, ln2High, d));
      // 1 + (r + r^2 * (1/2 + c3 r + c4 r^2 + c5 r^3 + c6 r^4)), in an order that waits for little.
      const r2 = f32x4.mul(r, r);
      const low = madd(c3, r, half);
      const high = madd(c6, r2, madd(c5, r, c4));
      const p = f32x4.add(one, madd(madd(high, r2, low), r2, r));
      const power = i32x4.add(i32x4.shl(rounded, 23), one);
      // What would be subnormal is 0, and so is exp(-Infinity); NaN is less than nothing, and stays.
      const e = v128.andnot(f32x4.mul(p, power), f32x4.lt(d, lowest));
      sum = f32x4.add(sum, e);
      if (out) {
        let y = f32x4.mul(e, scale);
        if (g) {
          y = madd(turn, v128.load(g), y);
          g += step;
        }
        v128.store(out, v128.andnot(y, dead));
        out += step;
      }
    }
    add(sums + SUM, sum);
  }
}

/** `product += g * (max - x)`, a term with `g = 0` being 0 whatever x is, and `mass += g`. */
function dot(lanes: usize, sums: usize, x: usize, g: usize, n: usize, step: usize): void {
  const max = v128.load(lanes, MAX);
  const zero = f32x4.splat(0);
  while (n) {
    let product = zero;
    let mass = zero;
    let rest = min(n, RUN);
    n -= rest;
    for (; rest; rest--, x += step, g += step) {
      const coefficient = v128.load(g);
      const term = f32x4.mul(coefficient, f32x4.sub(max, v128.load(x)));
      product = f32x4.add(product, v128.andnot(term, f32x4.eq(coefficient, zero)));
      mass = f32x4.add(mass, coefficient);
    }
    add(sums + PRODUCT, product);
    add(sums + MASS, mass);
  }
}

/** `out = x - max - scale`, in this order: exact for large x. */
function logProbs(lanes: usize, x: usize, out: usize, n: usize, step: usize): void {
  const max = v128.load(lanes, MAX);
  const logSum = v128.load(lanes, SCALE);
  for (; n; n--, x += step, out += step) v128.store(out, f32x4.sub(f32x4.sub(v128.load(x), max), logSum));
}

/** `out = scale * x`, plus `turn * g` where there is one; 0 where max is Infinity. */
function scaled(lanes: usize, x: usize, g: usize, out: usize, n: usize, step: usize): void {
  const dead = f32x4.eq(v128.load(lanes, MAX), f32x4.splat(Infinity));
  const scale = v128.load(lanes, SCALE);
  const turn = v128.load(lanes, TURN);
  for (; n; n--, x += step, out += step) {
    let y = f32x4.mul(scale, v128.load(x));
    if (g) {
      y = madd(turn, v128.load(g), y);
      g += step;
    }
    v128.store(out, v128.andnot(y, dead));
  }
}

/** `out = x * (g - scale)`. */
function centred(lanes: usize, x: usize, g: usize, out: usize, n: usize, step: usize): void {
  const mean = v128.load(lanes, SCALE);
  for (; n; n--, x += step, g += step, out += step) {
    v128.store(out, f32x4.mul(v128.load(x), f32x4.sub(v128.load(g), mean)));
  }
}

/** Vectors that are summed in float32 before they go into float64. */
const RUN: usize = 64;

/** Adds four float32 to four float64. */
function add(totals: usize, x: v128): void {
  const high = v128.shuffle<f32>(x, x, 2, 3, 2, 3);
  v128.store(totals, f64x2.add(v128.load(totals), f64x2.promote_low_f32x4(x)));
  v128.store(totals, f64x2.add(v128.load(totals, 16), f64x2.promote_low_f32x4(high)), 16);
}

/** `a * b + c`. */
function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}
