/**
 * The loops over rows, eight float32 at a time, and what is done once a row. `page-layout.ts` says what is where in the page.
 *
 * A tile is contiguous rows, or `[classes, rows]` with a constant step from class to class ("across"). Either way the
 * work is done in *strands*, whose lanes are 32 contiguous bytes, again and again a step apart: across, those are eight
 * rows; a contiguous row is a strand as well, whose eight lanes work on it together.
 */
import {
  CENTRED,
  CONSTANTS,
  DOT,
  DY_STEP,
  EXPONENTIALS,
  FINISH_LOG_SOFTMAX,
  FINISH_LOG_SOFTMAX_GRAD,
  FINISH_LOSS,
  FINISH_SOFTMAX,
  FINISH_SOFTMAX_GRAD,
  GROUP,
  GROUPS,
  IGNORE_INDEX,
  KEEP,
  LABEL_SHARE,
  LIKELIHOOD,
  LOG_PROBS,
  LOWEST,
  MASS,
  MAX,
  NARROW,
  PEAK,
  PER_DIVISOR,
  PICKED,
  PRODUCT,
  Q_SHARE,
  RECALL,
  SCALE,
  SCALED,
  SHARE,
  SMOOTHING,
  SPREAD,
  SPREAD_MASS,
  START,
  SUM,
  TAIL,
  TURN,
  TURNED,
} from '../../host/page-layout';

/** Bytes of all lanes. */
const WIDE: usize = 32;
const FINISHES = FINISH_LOSS | FINISH_LOG_SOFTMAX | FINISH_SOFTMAX | FINISH_LOG_SOFTMAX_GRAD | FINISH_SOFTMAX_GRAD;
const WRITES = SCALED | LOG_PROBS | CENTRED;

// What a call works on.
let base: usize = 0;
let does: i32 = 0;
let across: bool = false;
let classes: usize = 0;
let firstClass: i32 = 0;
let stride: usize = 0;
let labels: usize = 0;
let dy: usize = 0;
let record: usize = 0;

/**
 * Does `operations` with `rows` rows and their classes from `first` on. `step` is 0 for contiguous rows, else the bytes
 * from class to class. Of the arrays, 0 stands for none: `x`, coefficients `q` of the same layout and `w` of the
 * classes, the result `out`, and labels, upstream gradients and records of the rows.
 */
export function run(
  page: usize,
  operations: i32,
  rows: i32,
  tileClasses: usize,
  step: usize,
  first: i32,
  x: usize,
  q: usize,
  w: usize,
  out: usize,
  labelsOfRows: usize,
  dys: usize,
  records: usize,
): void {
  base = page;
  does = operations;
  classes = tileClasses;
  firstClass = first;
  labels = labelsOfRows;
  dy = dys;
  record = records;
  const size = classes << 2;
  const turned = step === 0 && <i32>classes <= NARROW && rows > 1;
  across = turned || step !== 0;
  stride = step !== 0 ? step : WIDE;
  const perStrand: i32 = across ? 8 : 1;
  const strandSize: usize = turned ? size << 3 : across ? WIDE : size;
  const dyStep: usize = load<i32>(base, DY_STEP) * perStrand;
  let group = base + GROUPS;
  for (let r = 0; r < rows; r += perStrand) {
    const count = min(perStrand, rows - r);
    if (turned) {
      const tile = base + TURNED;
      const qTile = tile + NARROW * WIDE;
      turn(tile, x, size, count);
      if (q) turn(qTile, q, size, count);
      strand(group, count, tile, q ? qTile : 0, w, out ? tile : 0);
      if (out) turnBack(out, tile, size, count);
    } else {
      strand(group, count, x, q, w, out);
    }
    if (step) group += GROUP;
    x += strandSize;
    if (q) q += strandSize;
    if (out) out += strandSize;
    if (labels) labels += perStrand << 2;
    dy += dyStep;
    record += perStrand << 4;
  }
}

/** Rows of `size` bytes, side by side. */
function turn(to: usize, from: usize, size: usize, rows: usize): void {
  for (const end = to + (rows << 2); to < end; to += 4) {
    let at = to;
    for (const next = from + size; from < next; from += 4, at += WIDE) f32.store(at, f32.load(from));
  }
}

function turnBack(to: usize, from: usize, size: usize, rows: usize): void {
  for (const end = from + (rows << 2); from < end; from += 4) {
    let at = from;
    for (const next = to + size; to < next; to += 4, at += WIDE) f32.store(to, f32.load(at));
  }
}

/** All that is done with the rows of a strand. */
function strand(group: usize, rows: i32, x: usize, q: usize, w: usize, out: usize): void {
  if (does & START) start(group, rows);
  if (does & RECALL) recall(group, rows);
  if (!across && isIgnored(0)) {
    if (does & FINISH_LOSS) finish(group, 1);
    if (out) memory.fill(out, 0, classes << 2);
    return;
  }
  if (does & PEAK) {
    pass(PEAK, group, x, q, w, out);
    if (!across) foldMax(group);
    if (labels) pick(group, rows, x);
  }
  if (does & DOT) pass(DOT, group, x, q, w, out);
  if (does & EXPONENTIALS) pass(EXPONENTIALS, group, x, q, w, out);
  if (!across) foldSums(group);
  if (does & FINISHES) {
    finish(group, rows);
    if (does & FINISH_LOSS && does & KEEP) recall(group, rows);
  }
  if (does & WRITES) {
    pass(does & WRITES, group, x, q, w, out);
    if (labels) subtractLabels(group, rows, out);
  }
}

function isIgnored(r: i32): bool {
  return labels !== 0 && load<i32>(labels + (r << 2)) === load<i32>(base, IGNORE_INDEX);
}

function start(group: usize, rows: i32): void {
  for (let at = group + PICKED; at < group + GROUP; at += 16) v128.store(at, i32x4.splat(0));
  const lowest = v128.load32_splat(base, LOWEST);
  v128.store(group, lowest, MAX);
  v128.store(group, lowest, MAX + 16);
  for (let r = 0; r < rows; r++) if (isIgnored(r)) f32.store(group + (r << 2), Infinity, MAX);
}

/** Makes the terms of the gradient from the records of rows: it is `scale * exp(x - max) + turn * coefficient`. */
function recall(group: usize, rows: i32): void {
  const dyStep: usize = load<i32>(base, DY_STEP);
  const labelShare = f64.load(base, LABEL_SHARE);
  const spreadMass = f64.load(base, SPREAD_MASS);
  const perDivisor = f64.load(base, PER_DIVISOR);
  for (let r = 0; r < rows; r++) {
    const lane = group + (r << 2);
    const row = record + (r << 4);
    const k = <f64>f32.load(dy + r * dyStep) * perDivisor;
    f32.store(lane, isIgnored(r) ? Infinity : f32.load(row), MAX);
    f32.store(lane, <f32>((k * (labelShare * f32.load(row, 12) + spreadMass)) / f32.load(row, 4)), SCALE);
    f32.store(lane, <f32>-k, TURN);
  }
  if (!across) splat(group);
}

/** The first lane's numbers for all lanes. */
function splat(group: usize): void {
  for (let at = group; at < group + PICKED; at += WIDE) {
    const x = v128.load32_splat(at);
    v128.store(at, x);
    v128.store(at, x, 16);
  }
}

/** Where the label of a row is in an array of the tile; 0 if it is not there. */
function labelIn(array: usize, r: i32): usize {
  const c = <usize>(load<i32>(labels + (r << 2)) - firstClass);
  if (c >= classes) return 0;
  return array + (across ? c * stride + (r << 2) : c << 2);
}

function pick(group: usize, rows: i32, x: usize): void {
  for (let r = 0; r < rows; r++) {
    const at = labelIn(x, r);
    if (at) f32.store(group + (r << 2), f32.load(at), PICKED);
  }
}

/** What the gradient has at the label only. */
function subtractLabels(group: usize, rows: i32, out: usize): void {
  const labelShare = f64.load(base, LABEL_SHARE);
  for (let r = 0; r < rows; r++) {
    const at = labelIn(out, r);
    if (!at || isIgnored(r)) continue;
    const k = <f64>f32.load(group + (r << 2), TURN) * labelShare * f32.load(record + (r << 4), 12);
    f32.store(at, <f32>(f32.load(at) + k));
  }
}

/** The rows' sums are complete: makes their records, or what their results are made of. */
function finish(group: usize, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    const lane = group + (r << 2);
    const lane64 = group + (r << 3);
    const row = record + (r << 4);
    if (does & FINISH_LOSS && isIgnored(r)) {
      f32.store(row, 0);
      f32.store(row, 1, 4);
      f32.store(row, 0, 8);
      continue;
    }
    let sum = f64.load(lane64, SUM);
    // A row that holds NaN or Infinity, or nothing but -Infinity.
    if (!(sum > 0)) {
      sum = NaN;
      f32.store(lane, 0, MAX);
    }
    const max = f32.load(lane, MAX);
    const product = f64.load(lane64, PRODUCT);
    const mass = f64.load(lane64, MASS);
    if (does & FINISH_LOSS) {
      const logSum = log(sum);
      const spread = product === 0 && mass === 0 ? 0 : product + mass * logSum;
      let loss = spread;
      if (labels) {
        const atLabel = f64.load(base, LABEL_SHARE) * f32.load(row, 12);
        // -logProb is (max - x) + logSum, in this order: exact for a row whose loss is almost 0.
        const likelihood = atLabel === 0 ? 0 : atLabel * (<f64>max - f32.load(lane, PICKED) + logSum);
        f64.store(base, f64.load(base, SMOOTHING) + spread, SMOOTHING);
        f64.store(base, f64.load(base, LIKELIHOOD) + likelihood, LIKELIHOOD);
        loss += likelihood;
      } else {
        f64.store(base, f64.load(base, LIKELIHOOD) + spread, LIKELIHOOD);
        f32.store(row, <f32>mass, 12);
      }
      f32.store(row, max);
      f32.store(row, <f32>sum, 4);
      f32.store(row, <f32>loss, 8);
      continue;
    }
    let scale = -product; // the mean of dy under the softmax
    if (does & FINISH_LOG_SOFTMAX) scale = log(sum);
    else if (does & FINISH_SOFTMAX) scale = 1 / sum;
    else if (does & FINISH_LOG_SOFTMAX_GRAD) scale = -mass / sum;
    f32.store(lane, <f32>scale, SCALE);
    f32.store(lane, 1, TURN);
  }
  if (!across) splat(group);
}

/** Runs an operation along a strand. */
function pass(op: i32, group: usize, x: usize, q: usize, w: usize, out: usize): void {
  if (across) {
    loop(op, group, x, q, w, out, classes, 4);
    return;
  }
  const n = classes >> 3;
  loop(op, group, x, q, w, out, n, WIDE);
  const rest = (classes & 7) << 2;
  if (!rest) return;
  // What is left at the end, filled up with classes that count nothing.
  const whole = n << 5;
  const tail = base + TAIL;
  for (let i: usize = 0; i < WIDE; i += 4) {
    const there = i < rest;
    const from = whole + i;
    f32.store(tail + i, there ? f32.load(x + from) : -Infinity);
    f32.store(tail + i, there && q ? f32.load(q + from) : 0, WIDE);
    f32.store(tail + i, there ? (w ? f32.load(w + from) : 1) : 0, 2 * WIDE);
    if (there && out) f32.store(tail + i, f32.load(out + from), 3 * WIDE);
  }
  const spread = does & SPREAD;
  loop(op, group, tail, q ? tail + WIDE : 0, spread ? tail + 2 * WIDE : 0, out ? tail + 3 * WIDE : 0, 1, WIDE);
  if (out) for (let i: usize = 0; i < rest; i += 4) f32.store(out + whole + i, f32.load(tail + i, 3 * WIDE));
}

/** The maximum of all lanes, for all of them. */
function foldMax(group: usize): void {
  let max = f32x4.pmax(v128.load(group, MAX), v128.load(group, MAX + 16));
  max = f32x4.pmax(max, v128.shuffle<f32>(max, max, 2, 3, 0, 1));
  f32.store(group, f32x4.extract_lane(f32x4.pmax(max, v128.shuffle<f32>(max, max, 1, 0, 3, 2)), 0), MAX);
  splat(group);
}

/** The sums of all lanes, into the first of them. */
function foldSums(group: usize): void {
  for (let at = group + SUM; at < group + GROUP; at += 64) {
    const a = f64x2.add(v128.load(at), v128.load(at, 16));
    const b = f64x2.add(v128.load(at, 32), v128.load(at, 48));
    const sum = f64x2.add(a, b);
    for (let i: usize = 0; i < 64; i += 16) v128.store(at + i, i32x4.splat(0));
    f64.store(at, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}

/** Of `n` times eight. Class weights are `wStep` bytes apart: across, one of them serves all lanes. */
function loop(op: i32, group: usize, x: usize, q: usize, w: usize, out: usize, n: usize, wStep: usize): void {
  if (op === PEAK) peak(group, x, n);
  else if (op === DOT) dot(group, x, q, w, n, wStep);
  else if (op === EXPONENTIALS) exponentials(group, x, out, n);
  else if (op === SCALED) scaled(group, q, w, out, n, wStep);
  else if (op === LOG_PROBS) logProbs(group, x, out, n);
  else centred(group, x, q, out, n);
}

/** `max = max(max, x)`; where an x is NaN, so is the sum of the exponentials. */
function peak(group: usize, x: usize, n: usize): void {
  const step = stride;
  let a = v128.load(group, MAX);
  let b = v128.load(group, MAX + 16);
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
  v128.store(group, a, MAX);
  v128.store(group, b, MAX + 16);
  // All bits of a lane that is true are 1, which is a NaN.
  add(group + SUM, nanA);
  add(group + SUM + 32, nanB);
}

/** `sum += exp(x - max)`; they are kept in `out` or, each over the one before, in the page. */
function exponentials(group: usize, x: usize, out: usize, n: usize): void {
  const maxA = v128.load(group, MAX);
  const maxB = v128.load(group, MAX + 16);
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
  const step = stride;
  const outStep: usize = does & KEEP ? step : 0;
  if (!outStep) out = base + TAIL;
  while (n) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let rest = min(n, RUN);
    n -= rest;
    for (; rest; rest--, x += step, out += outStep) {
      const eA = exp(f32x4.sub(v128.load(x), maxA), log2e, magic, ln2High, ln2Low, c6, c5, c4, c3, half, one, lowest);
      a = f32x4.add(a, eA);
      v128.store(out, eA);
      const eB = exp(f32x4.sub(v128.load(x, 16), maxB), log2e, magic, ln2High, ln2Low, c6, c5, c4, c3, half, one, lowest);
      b = f32x4.add(b, eB);
      v128.store(out, eB, 16);
    }
    add(group + SUM, a);
    add(group + SUM + 32, b);
  }
}

/** exp(d) of d <= 0: exactly 1 at 0, exactly 0 at -Infinity; anything at NaN. */
// @ts-ignore: AssemblyScript's decorators may be on functions
@inline
function exp(
  d: v128,
  log2e: v128,
  magic: v128,
  ln2High: v128,
  ln2Low: v128,
  c6: v128,
  c5: v128,
  c4: v128,
  c3: v128,
  half: v128,
  one: v128,
  lowest: v128,
): v128 {
  // 2^k next to exp(d): adding 1.5 * 2^23 rounds to an integer k, which is then in the low bits.
  const rounded = madd(d, log2e, magic);
  const k = f32x4.sub(rounded, magic);
  const r = madd(k, ln2Low, madd(k, ln2High, d));
  // 1 + (r + r^2 * (1/2 + c3 r + c4 r^2 + c5 r^3 + c6 r^4)), in an order that waits for little.
  const r2 = f32x4.mul(r, r);
  const low = madd(c3, r, half);
  const high = madd(c6, r2, madd(c5, r, c4));
  const p = f32x4.add(one, madd(madd(high, r2, low), r2, r));
  // k is added to the exponent of p. What would be subnormal is 0, and so is exp(-Infinity).
  return v128.andnot(i32x4.add(p, i32x4.shl(rounded, 23)), f32x4.lt(d, lowest));
}

/** What a class counts. */
// @ts-ignore
@inline
function coefficient(q: usize, w: usize, wStep: usize, qShare: v128, share: v128): v128 {
  let g = share;
  if (q) g = madd(v128.load(q), qShare, share);
  if (w) g = f32x4.mul(g, wStep === 4 ? v128.load32_splat(w) : v128.load(w));
  return g;
}

/** `product += g * (max - x)`, a term with `g = 0` being 0 whatever x is, and `mass += g`. */
function dot(group: usize, x: usize, q: usize, w: usize, n: usize, wStep: usize): void {
  const step = stride;
  const qShare = v128.load32_splat(base, Q_SHARE);
  const share = v128.load32_splat(base, SHARE);
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < 2; i++) {
    const max = v128.load(group, MAX);
    let at: usize = 0;
    let wAt = w;
    for (let left = n; left; ) {
      let product = zero;
      let mass = zero;
      let rest = min(left, RUN);
      left -= rest;
      for (; rest; rest--, at += step) {
        const g = coefficient(q ? q + at : 0, wAt, wStep, qShare, share);
        const term = f32x4.mul(g, f32x4.sub(max, v128.load(x + at)));
        product = f32x4.add(product, v128.andnot(term, f32x4.eq(g, zero)));
        mass = f32x4.add(mass, g);
        if (w) wAt += wStep;
      }
      add(group + PRODUCT + (i << 4), product);
      add(group + MASS + (i << 4), mass);
    }
    group += 16;
    x += 16;
    if (q) q += 16;
    if (w && wStep > 4) w += 16;
  }
}

/** `out = scale * out`, plus `turn * g` where classes have coefficients; 0 where max is Infinity. */
function scaled(group: usize, q: usize, w: usize, out: usize, n: usize, wStep: usize): void {
  const step = stride;
  const qShare = v128.load32_splat(base, Q_SHARE);
  const share = v128.load32_splat(base, SHARE);
  const spread = does & SPREAD;
  const infinity = f32x4.splat(Infinity);
  const deadA = f32x4.eq(v128.load(group, MAX), infinity);
  const deadB = f32x4.eq(v128.load(group, MAX + 16), infinity);
  const scaleA = v128.load(group, SCALE);
  const scaleB = v128.load(group, SCALE + 16);
  const turnA = v128.load(group, TURN);
  const turnB = v128.load(group, TURN + 16);
  for (; n; n--, out += step) {
    let a = f32x4.mul(scaleA, v128.load(out));
    let b = f32x4.mul(scaleB, v128.load(out, 16));
    if (spread) {
      a = madd(turnA, coefficient(q, w, wStep, qShare, share), a);
      b = madd(turnB, coefficient(q ? q + 16 : 0, w && wStep > 4 ? w + 16 : w, wStep, qShare, share), b);
      if (q) q += step;
      if (w) w += wStep;
    }
    v128.store(out, v128.andnot(a, deadA));
    v128.store(out, v128.andnot(b, deadB), 16);
  }
}

/** `out = x - max - scale`, in this order: exact for large x. */
function logProbs(group: usize, x: usize, out: usize, n: usize): void {
  const step = stride;
  for (let i: usize = 0; i < WIDE; i += 16) {
    const max = v128.load(group + i, MAX);
    const logSum = v128.load(group + i, SCALE);
    for (let left = n, at = i; left; left--, at += step) {
      v128.store(out + at, f32x4.sub(f32x4.sub(v128.load(x + at), max), logSum));
    }
  }
}

/** `out = x * (q - scale)`. */
function centred(group: usize, x: usize, q: usize, out: usize, n: usize): void {
  const step = stride;
  for (let i: usize = 0; i < WIDE; i += 16) {
    const mean = v128.load(group + i, SCALE);
    for (let left = n, at = i; left; left--, at += step) {
      v128.store(out + at, f32x4.mul(v128.load(x + at), f32x4.sub(v128.load(q + at), mean)));
    }
  }
}

/** Times that lanes are added up in float32 before they go into float64. */
const RUN: usize = 64;

/** Adds four float32 to four float64. */
function add(totals: usize, x: v128): void {
  const high = v128.shuffle<f32>(x, x, 2, 3, 2, 3);
  v128.store(totals, f64x2.add(v128.load(totals), f64x2.promote_low_f32x4(x)));
  v128.store(totals, f64x2.add(v128.load(totals, 16), f64x2.promote_low_f32x4(high)), 16);
}

/** `a * b + c`. */
// @ts-ignore
@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** The natural logarithm of a number of 1 or more, or NaN, to 1e-10. */
function log(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  const k = (bits - 0x3fe6a09e667f3bcd) >> 52; // so that m is between the root of 1/2 and that of 2
  const m = reinterpret<f64>(bits - (k << 52));
  const s = (m - 1) / (m + 1);
  const z = s * s;
  const series = 1 + z * (1 / 3.0 + z * (1 / 5.0 + z * (1 / 7.0 + z * (1 / 9.0 + z * (1 / 11.0)))));
  return <f64>k * 0.6931471805599453 + 2 * s * series + (x - x);
}
