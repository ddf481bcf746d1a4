/**
 * The loops over rows, eight float32 at a time, and what is done once a row. `page-layout.ts` says what is where in the
 * page.
 *
 * A tile is contiguous rows, or `[classes, rows]` with a constant step from class to class ("across"). Either way the
 * work is done in *strands*, whose lanes are 32 contiguous bytes, again and again a step apart: across, those are eight
 * rows; a contiguous row is a strand as well, whose eight lanes work on it together.
 */
import {
  CONSTANTS,
  DOT,
  DY_STEP,
  EXPONENTIALS,
  FINISH_LOG_SOFTMAX,
  FINISH_LOG_SOFTMAX_GRAD,
  FINISH_LOSS,
  FINISH_SOFTMAX,
  FINISHES,
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
  Q_TILE,
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
  TILES,
  TURN,
  TURNED,
  WEIGHTED,
  WRITES,
} from '../../host/page-layout';

/** Bytes of all lanes. */
const WIDE: usize = 32;

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
 * from class to class in tiles; `distance` is that outside of the page, or 0 for what is in a tile already. Of the
 * arrays, 0 stands for none: `x`, coefficients `q` of the same layout and `w` of the classes, the result `out`, and
 * labels, upstream gradients and records of the rows.
 */
export function run(
  page: usize,
  operations: i32,
  rows: i32,
  tileClasses: usize,
  step: usize,
  distance: usize,
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
  const slice = rows << 2;
  const result = out;
  if (distance) {
    x = copySlices(base + TILES, step, x, distance, slice);
    if (q) q = copySlices(base + Q_TILE, step, q, distance, slice);
    if (out) out = x;
  }
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
  if (distance && result) copySlices(result, distance, base + TILES, step, slice);
}

/** A slice of `size` bytes for each class. */
function copySlices(to: usize, toStep: usize, from: usize, fromStep: usize, size: usize): usize {
  for (let c: usize = 0; c < classes; c++) memory.copy(to + c * toStep, from + c * fromStep, size);
  return to;
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
  if (does & START) start(group);
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

function start(group: usize): void {
  for (let at = group + PICKED; at < group + GROUP; at += 16) v128.store(at, i32x4.splat(0));
  const lowest = v128.load32_splat(base, LOWEST);
  v128.store(group, startOf(lowest, 0), MAX);
  v128.store(group, startOf(lowest, 16), MAX + 16);
}

/** Infinity for four ignored rows, else `max`. A contiguous row that is ignored is left out anyway. */
function startOf(max: v128, offset: usize): v128 {
  if (!labels || !across) return max;
  const ignored = i32x4.eq(v128.load(labels + offset), v128.load32_splat(base, IGNORE_INDEX));
  return v128.bitselect(f32x4.splat(Infinity), max, ignored);
}

/** Makes the terms of the gradient from the records of rows: it is `scale * exp(x - max) + turn * coefficient`. */
function recall(group: usize, rows: i32): void {
  const dyStep: usize = load<i32>(base, DY_STEP);
  const labelShare = v128.load64_splat(base, LABEL_SHARE);
  const spreadMass = v128.load64_splat(base, SPREAD_MASS);
  const perDivisor = v128.load64_splat(base, PER_DIVISOR);
  for (let r = 0; r < rows; r += 2) {
    const lane = group + (r << 2);
    const s = min(r + 1, rows - 1);
    const a = v128.load(record + (r << 4));
    const b = v128.load(record + (s << 4));
    const sum = f64x2.promote_low_f32x4(v128.shuffle<f32>(a, b, 1, 5, 1, 5));
    const w = f64x2.promote_low_f32x4(v128.shuffle<f32>(a, b, 3, 7, 3, 7));
    const k = f64x2.mul(pair(dy + r * dyStep, dy + s * dyStep), perDivisor);
    const mass = f64x2.add(f64x2.mul(labelShare, w), spreadMass);
    store(lane + SCALE, f64x2.div(f64x2.mul(k, mass), sum));
    store(lane + TURN, f64x2.neg(k));
    const isLive = v128.shuffle<i32>(areLive(r), areLive(r), 0, 2, 0, 2);
    const max = v128.bitselect(v128.shuffle<f32>(a, b, 0, 4, 0, 4), f32x4.splat(Infinity), isLive);
    v128.store64_lane(lane, max, 0, MAX);
  }
  if (!across) splat(group);
}

/** Two float32 as float64. */
function pair(a: usize, b: usize): v128 {
  return f64x2.replace_lane(f64x2.splat(f32.load(a)), 1, f32.load(b));
}

/** Two float64 as float32. */
function store(to: usize, x: v128): void {
  v128.store64_lane(to, f32x4.demote_f64x2_zero(x), 0);
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

/** For two rows, all bits of those that are not ignored. */
function areLive(r: i32): v128 {
  if (!labels) return i64x2.splat(-1);
  const ignored = i32x4.eq(v128.load64_zero(labels + (r << 2)), v128.load32_splat(base, IGNORE_INDEX));
  return v128.not(i64x2.extend_low_i32x4_s(ignored));
}

/** The rows' sums are complete: makes their records, or what their results are made of. */
function finish(group: usize, rows: i32): void {
  const zero = i32x4.splat(0);
  let likelihoods: v128 = zero;
  let smoothings: v128 = zero;
  // Two rows at a time, the second of which may not be there.
  for (let r = 0; r < rows; r += 2) {
    const lane = group + (r << 2);
    const lane64 = group + (r << 3);
    const isThere = r + 1 < rows;
    const isLive = v128.and(areLive(r), i64x2.replace_lane(i64x2.splat(-1), 1, isThere ? -1 : 0));
    const found = v128.load(lane64, SUM);
    // Else a row holds NaN or Infinity, or nothing but -Infinity.
    const isValid = f64x2.gt(found, zero);
    const sum = v128.bitselect(v128.bitselect(found, f64x2.splat(NaN), isValid), f64x2.splat(1), isLive);
    const max = v128.and(pair(lane + MAX, lane + MAX + 4), v128.and(isValid, isLive));
    const mass = v128.load(lane64, MASS);
    store(lane + MAX, max);
    if (does & FINISH_LOSS) {
      const row = record + (r << 4);
      const next = isThere ? row + 16 : row;
      const logSum = log(sum);
      const spread = f64x2.add(v128.load(lane64, PRODUCT), unlessZero(mass, f64x2.mul(mass, logSum)));
      let loss = v128.and(spread, isLive);
      let w = mass;
      if (labels) {
        w = pair(row + 12, next + 12);
        smoothings = f64x2.add(smoothings, loss);
        if (!load<i32>(base, WEIGHTED)) w = f64x2.splat(1);
        w = v128.and(w, isLive);
        const atLabel = f64x2.mul(v128.load64_splat(base, LABEL_SHARE), w);
        // -logProb is (max - x) + logSum, in this order: exact for a row whose loss is almost 0.
        const picked = pair(lane + PICKED, lane + PICKED + 4);
        const minusLogProb = f64x2.add(f64x2.sub(max, picked), logSum);
        const likelihood = v128.and(unlessZero(atLabel, f64x2.mul(atLabel, minusLogProb)), isLive);
        likelihoods = f64x2.add(likelihoods, likelihood);
        loss = f64x2.add(loss, likelihood);
      } else {
        likelihoods = f64x2.add(likelihoods, loss);
      }
      const losses = v128.shuffle<f32>(f32x4.demote_f64x2_zero(loss), f32x4.demote_f64x2_zero(w), 0, 4, 1, 5);
      const terms = v128.shuffle<f32>(f32x4.demote_f64x2_zero(max), f32x4.demote_f64x2_zero(sum), 0, 4, 1, 5);
      // What is not there first, since then it goes where the first row does.
      v128.store64_lane(next, terms, 1);
      v128.store64_lane(next, losses, 1, 8);
      v128.store64_lane(row, terms, 0);
      v128.store64_lane(row, losses, 0, 8);
      continue;
    }
    let scale = f64x2.neg(v128.load(lane64, PRODUCT)); // the mean of dy under the softmax
    if (does & FINISH_LOG_SOFTMAX) scale = log(sum);
    else if (does & FINISH_SOFTMAX) scale = f64x2.div(f64x2.splat(1), sum);
    else if (does & FINISH_LOG_SOFTMAX_GRAD) scale = f64x2.neg(f64x2.div(mass, sum));
    store(lane + SCALE, scale);
    store(lane + TURN, f64x2.splat(1));
  }
  if (!across) splat(group);
  addBoth(base + LIKELIHOOD, likelihoods);
  addBoth(base + SMOOTHING, smoothings);
}

function addBoth(total: usize, x: v128): void {
  f64.store(total, f64.load(total) + f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1));
}

/** `x`, but 0 where the coefficient is. */
function unlessZero(coefficient: v128, x: v128): v128 {
  return v128.andnot(x, f64x2.eq(coefficient, f64x2.splat(0)));
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
// @ts-expect-error: AssemblyScript's decorators may be on functions
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
// @ts-expect-error
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
// @ts-expect-error
@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** The natural logarithm of two numbers of 1 or more, or NaN, to 1e-10. */
function log(x: v128): v128 {
  const high = v128.shuffle<i32>(x, x, 1, 3, 1, 3);
  // So that m is between the root of 1/2 and that of 2.
  const k = i32x4.shr_s(i32x4.sub(high, i32x4.splat(0x3fe6a09e)), 20);
  const m = i32x4.sub(x, v128.shuffle<i32>(i32x4.shl(k, 20), i32x4.splat(0), 4, 0, 4, 1));
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let series = f64x2.splat(2 / 11.0);
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2 / 9.0));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2 / 7.0));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2 / 5.0));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2 / 3.0));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2));
  const whole = f64x2.mul(f64x2.convert_low_i32x4_s(k), f64x2.splat(0.6931471805599453));
  return f64x2.add(f64x2.add(whole, f64x2.mul(s, series)), f64x2.sub(x, x));
}
