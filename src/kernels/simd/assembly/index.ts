/**
 * The row kernels in WebAssembly, one export each: `simd/row-kernels.ts` calls them, and `host/javascript.ts` says what
 * each computes. They work on `rows` rows of a block in memory: contiguous rows if `classStride` is 0, else rows side by
 * side, whose classes are `classStride` bytes apart. All addresses and sizes are in bytes.
 */
import { storeDemoted, storeExpConstants } from './math';
import {
  advance,
  beginRows,
  classes,
  classStride,
  hasClassCoefficients,
  labels,
  secondTile,
  setUpstream,
  tile,
  tileRows,
  upstream,
  upstreamStep,
  workspace,
} from './parameters';
import { findMax, loadTail, scaleExponentials, shift, storeTail, sumCoefficients, sumExponentials } from './passes';
import { finishLoss, isIgnored, loadGradientTerms, markIgnored, subtractLabels, takeLabels } from './record';
import {
  across,
  beginStrands,
  EXP,
  EXP_ONE,
  foldSums,
  LOG_SUM,
  MASS,
  MAX,
  MINUS_K,
  NARROW,
  PRODUCT,
  SCALE,
  SCRATCH_RECORDS,
  SUM,
  settleSums,
  splat,
  startStrand,
  TRANSPOSED,
  tailSize,
  WIDE,
} from './strand';

export {
  classes,
  classStride,
  correct,
  hasClassCoefficients,
  ignoreIndex,
  labelShare,
  labels,
  likelihoods,
  perDivisor,
  probabilityShare,
  record,
  secondTile,
  smoothings,
  tile,
  tileRows,
  uniformShare,
  upstream,
  upstreamStep,
  weights,
  workspace,
} from './parameters';
export { addDots, addProduct } from './products';
export { RESERVED } from './strand';

/** Fewer positions than this are worked on as contiguous rows: a strand would be mostly empty. */
const FEW: usize = 8;

const LOWEST: f32 = -3.4028234663852886e38;

/** To be called once `workspace` is set. */
export function begin(): void {
  storeExpConstants(workspace + EXP);
}

/** The loss of each row, its record if that is wanted, and its gradient for an upstream of 1 if `out` is given. */
export function loss(rows: usize, x: usize, q: usize, out: usize): void {
  setUpstream(workspace + EXP_ONE);
  forEachTile(Kernel.loss, rows, x, q, out);
}

/** The gradient, from the records. */
export function lossGradient(rows: usize, x: usize, q: usize, out: usize): void {
  forEachTile(Kernel.lossGradient, rows, x, q, out);
}

export function softmax(rows: usize, x: usize, out: usize): void {
  forEachTile(Kernel.softmax, rows, x, 0, out);
}

export function logSoftmax(rows: usize, x: usize, out: usize): void {
  forEachTile(Kernel.logSoftmax, rows, x, 0, out);
}

export function softmaxGradient(rows: usize, y: usize, dy: usize, out: usize): void {
  forEachTile(Kernel.softmaxGradient, rows, y, dy, out);
}

export function logSoftmaxGradient(rows: usize, x: usize, dy: usize, out: usize): void {
  forEachTile(Kernel.logSoftmaxGradient, rows, x, dy, out);
}

/** `x *= perExpected`, a power of two, and then `x *= upstream` of each row, in place: the product of both might be 0. */
export function scale(rows: usize, x: usize, perExpected: f32): void {
  if (classStride) {
    for (let c = classes; c; c--, x += classStride) multiplyEach(x, rows, upstream, perExpected);
    return;
  }
  for (let r: usize = 0; r < rows; r++, x += classes << 2) {
    const k = f32.load(upstream + r * upstreamStep);
    if (k * perExpected !== 1) multiply(x, classes, k, perExpected);
  }
}

/** `x *= by; x *= k` for `count` floats. */
function multiply(x: usize, count: usize, k: f32, by: f32): void {
  const first = f32x4.splat(by);
  const second = f32x4.splat(k);
  const end = x + (count << 2);
  for (const fours = x + ((count & ~15) << 2); x < fours; x += 64) {
    v128.store(x, f32x4.mul(f32x4.mul(v128.load(x), first), second));
    v128.store(x, f32x4.mul(f32x4.mul(v128.load(x, 16), first), second), 16);
    v128.store(x, f32x4.mul(f32x4.mul(v128.load(x, 32), first), second), 32);
    v128.store(x, f32x4.mul(f32x4.mul(v128.load(x, 48), first), second), 48);
  }
  for (const vectors = x + ((end - x) & ~15); x < vectors; x += 16) {
    v128.store(x, f32x4.mul(f32x4.mul(v128.load(x), first), second));
  }
  for (; x < end; x += 4) f32.store(x, f32.load(x) * by * k);
}

/** `x *= by; x *= k` for `count` floats of each. */
function multiplyEach(x: usize, count: usize, k: usize, by: f32): void {
  const first = f32x4.splat(by);
  const end = x + (count << 2);
  for (const vectors = x + ((count & ~3) << 2); x < vectors; x += 16, k += 16) {
    v128.store(x, f32x4.mul(f32x4.mul(v128.load(x), first), v128.load(k)));
  }
  for (; x < end; x += 4, k += 4) f32.store(x, f32.load(x) * by * f32.load(k));
}

enum Kernel {
  loss,
  lossGradient,
  softmax,
  logSoftmax,
  softmaxGradient,
  logSoftmaxGradient,
}

/** Runs a kernel on the rows of a strand, whose classes may have coefficients `q`. */
function run(kernel: Kernel, rows: usize, x: usize, q: usize, out: usize): void {
  // For the gradient of a softmax, `dy` is multiplied with `0 - y`.
  startStrand(kernel === Kernel.softmaxGradient ? 0 : LOWEST);
  if (!across && isIgnored(0)) {
    if (kernel === Kernel.loss) finishLoss(1);
    if (out) memory.fill(out, 0, classes << 2);
    return;
  }
  if (tailSize) loadTail(x, q);
  if (kernel === Kernel.loss) lossOfStrand(rows, x, q, out);
  else if (kernel === Kernel.lossGradient) lossGradientOfStrand(rows, x, q, out);
  else softmaxOfStrand(kernel, rows, x, q, out);
  if (!out) return;
  if (tailSize) storeTail(out);
  if (labels) subtractLabels(rows, out);
}

function lossOfStrand(rows: usize, x: usize, q: usize, out: usize): void {
  markIgnored();
  findMax(x);
  takeLabels(rows, x);
  if (hasClassCoefficients) sumCoefficients(x, q);
  sumExponentials(x, out);
  foldSums();
  settleSums(rows);
  finishLoss(rows);
  if (!out) return;
  loadGradientTerms(rows);
  scaleExponentials(q, out);
}

function lossGradientOfStrand(rows: usize, x: usize, q: usize, out: usize): void {
  loadGradientTerms(rows);
  sumExponentials(x, out);
  scaleExponentials(q, out);
}

/** The four functions of a softmax: what they sum, what they make of the sums, and their results. */
function softmaxOfStrand(kernel: Kernel, rows: usize, x: usize, dy: usize, out: usize): void {
  if (dy) sumCoefficients(x, dy);
  if (kernel !== Kernel.softmaxGradient) {
    findMax(x);
    sumExponentials(x, kernel === Kernel.logSoftmax ? 0 : out);
  }
  foldSums();
  settleSums(rows);
  finishSoftmax(kernel, rows);
  if (kernel === Kernel.logSoftmax) shift(x, 0, out);
  else if (kernel === Kernel.softmaxGradient) shift(x, dy, out);
  else scaleExponentials(dy, out);
}

/** Makes of the sums of the rows the terms of their results. */
function finishSoftmax(kernel: Kernel, rows: usize): void {
  for (let r: usize = 0; r < rows; r += 2) {
    const lane64 = workspace + (r << 3);
    const sum = v128.load(lane64, SUM);
    let scale = f64x2.neg(v128.load(lane64, PRODUCT));
    if (kernel === Kernel.logSoftmax) scale = v128.load(lane64, LOG_SUM);
    else if (kernel === Kernel.softmax) scale = f64x2.div(f64x2.splat(1), sum);
    else if (kernel === Kernel.logSoftmaxGradient) scale = f64x2.neg(f64x2.div(v128.load(lane64, MASS), sum));
    storeDemoted(workspace + (r << 2) + SCALE, scale);
  }
  v128.store(workspace, f32x4.splat(1), MINUS_K);
  v128.store(workspace, f32x4.splat(1), MINUS_K + 16);
  if (across) return;
  splat(MAX);
  splat(SCALE);
}

/**
 * Contiguous rows are worked on where they are. Rows side by side go through tiles, where the classes of a row are close
 * together: apart by a power of two, they would share few cache lines.
 */
function forEachTile(kernel: Kernel, rows: usize, x: usize, q: usize, out: usize): void {
  beginRows(workspace + SCRATCH_RECORDS);
  if (!classStride) forEachStrand(kernel, rows, x, q, out, 0);
  else if (rows < FEW) asContiguousRows(kernel, rows, x, q, out);
  else {
    const step = ((min(tileRows, rows) + 7) & ~7) << 2;
    for (let first: usize = 0; first < rows; first += tileRows) {
      const count = min(tileRows, rows - first);
      const at = first << 2;
      move(tile, 4, step, x + at, 4, classStride, count);
      if (q) move(secondTile, 4, step, q + at, 4, classStride, count);
      forEachStrand(kernel, count, tile, q ? secondTile : 0, out ? tile : 0, step);
      if (out) move(out + at, 4, classStride, tile, 4, step, count);
    }
  }
}

/** A strand of so few rows would be mostly empty. */
function asContiguousRows(kernel: Kernel, rows: usize, x: usize, q: usize, out: usize): void {
  const size = classes << 2;
  move(tile, size, 4, x, 4, classStride, rows);
  if (q) move(secondTile, size, 4, q, 4, classStride, rows);
  forEachStrand(kernel, rows, tile, q ? secondTile : 0, out ? tile : 0, 0);
  if (out) move(out, 4, classStride, tile, size, 4, rows);
}

/** `step` is the bytes from class to class in a tile, or 0 for contiguous rows. */
function forEachStrand(kernel: Kernel, rows: usize, x: usize, q: usize, out: usize, step: usize): void {
  const areTransposed = !step && classes <= NARROW && rows > 1;
  beginStrands(step, areTransposed);
  const size = classes << 2;
  const most: usize = across ? 8 : 1;
  const strandSize = step ? WIDE : size * most;
  const narrow = workspace + TRANSPOSED;
  const narrowQ = narrow + NARROW * WIDE;
  for (let first: usize = 0; first < rows; first += most) {
    const count = min(most, rows - first);
    if (areTransposed) {
      move(narrow, 4, WIDE, x, size, 4, count);
      if (q) move(narrowQ, 4, WIDE, q, size, 4, count);
      run(kernel, count, narrow, q ? narrowQ : 0, out ? narrow : 0);
      if (out) move(out, size, 4, narrow, 4, WIDE, count);
    } else {
      run(kernel, count, x, q, out);
    }
    x += strandSize;
    if (q) q += strandSize;
    if (out) out += strandSize;
    advance(count);
  }
}

/** All classes of some rows, with other distances from row to row and from class to class. */
function move(
  to: usize,
  toRow: usize,
  toClass: usize,
  from: usize,
  fromRow: usize,
  fromClass: usize,
  rows: usize,
): void {
  if (toRow === fromRow) {
    // Side by side, here and there: a slice for each class.
    for (let c = classes; c; c--, to += toClass, from += fromClass) memory.copy(to, from, rows << 2);
    return;
  }
  for (; rows; rows--, to += toRow, from += fromRow) {
    let a = to;
    let b = from;
    for (let c = classes; c; c--, a += toClass, b += fromClass) f32.store(a, f32.load(b));
  }
}
