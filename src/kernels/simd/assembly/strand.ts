/**
 * A *strand* is what the module works on at a time: steps of 32 contiguous bytes each, eight lanes of float32.
 * Where the classes of a row are apart, the lanes are eight rows that lie side by side; a contiguous row is a strand as
 * well, whose eight lanes work on it together, a class each.
 *
 * What is known of a strand's rows is in the workspace, from these bytes on.
 */
import { log } from './math';
import { classes, workspace } from './parameters';

/** Bytes of eight float32. */
export const WIDE: usize = 32;

// Eight float32 each: the maximum, or Infinity for an ignored row; the logit at the label; and the terms of the result,
// `scale * exp(x - max) + minusK * coefficient`.
export const MAX: usize = 0;
export const SCALE: usize = MAX + WIDE;
export const MINUS_K: usize = SCALE + WIDE;
export const AT_LABEL: usize = MINUS_K + WIDE;
// Eight int32: 0 where all coefficients of the classes have been 0.
export const USED: usize = AT_LABEL + WIDE;
// Eight float64 each: the sums over the classes of `exp(x - max)`, with its logarithm, of `coefficient * (max - x)`, and
// of the coefficients.
export const SUM: usize = USED + WIDE;
export const LOG_SUM: usize = SUM + 2 * WIDE;
export const PRODUCT: usize = LOG_SUM + 2 * WIDE;
export const MASS: usize = PRODUCT + 2 * WIDE;
const END: usize = MASS + 2 * WIDE;

/** Four arrays of 32 bytes for what is left at the end of a row that fills no strand. */
export const TAIL: usize = END;
/** The records of eight rows, where nobody wants them. */
export const SCRATCH_RECORDS: usize = TAIL + 4 * WIDE;
/** The constants of exp, float32. */
export const EXP: usize = SCRATCH_RECORDS + 8 * 16;
/** One of them is 1. */
export const EXP_ONE: usize = EXP + 36;
/** Contiguous rows of no more classes are worked on eight at a time, transposed; there is room for two arrays. */
export const NARROW: usize = 64;
export const TRANSPOSED: usize = EXP + 2 * WIDE;
/** Bytes of all that. */
export const RESERVED: usize = TRANSPOSED + 2 * NARROW * WIDE;

/** Whether the lanes are eight rows. */
export let across = false;
/** How many steps there are, and the bytes from one to the next; of class weights, across one serves all lanes. */
export let steps: usize = 0;
export let stride: usize = WIDE;
export let weightsStride: usize = WIDE;
/** What is left at the end of a contiguous row: where it begins, and how long it is, in bytes. */
export let tailAt: usize = 0;
export let tailSize: usize = 0;

/** `step` is the bytes from class to class, or 0 for contiguous rows; transposed, those are side by side too. */
export function beginStrands(step: usize, areTransposed: bool): void {
  across = areTransposed ? true : step !== 0;
  steps = across ? classes : classes >> 3;
  stride = step ? step : WIDE;
  weightsStride = across ? 4 : WIDE;
  tailAt = (classes >> 3) << 5;
  tailSize = across ? 0 : (classes & 7) << 2;
}

/** Nothing is known of the rows yet; `lowest` is what maxima start at. */
export function startStrand(lowest: f32): void {
  const zero = i32x4.splat(0);
  for (let at = workspace + AT_LABEL; at < workspace + END; at += 16) v128.store(at, zero);
  v128.store(workspace, f32x4.splat(lowest), MAX);
  v128.store(workspace, f32x4.splat(lowest), MAX + 16);
}

/** The first lane's number for all lanes. */
export function splat(numbers: usize): void {
  const x = v128.load32_splat(workspace + numbers);
  v128.store(workspace + numbers, x);
  v128.store(workspace + numbers, x, 16);
}

/** The maximum of all lanes, for all of them. */
export function foldMax(): void {
  let max = f32x4.pmax(v128.load(workspace, MAX), v128.load(workspace, MAX + 16));
  max = f32x4.pmax(max, v128.shuffle<f32>(max, max, 2, 3, 0, 1));
  f32.store(workspace, f32x4.extract_lane(f32x4.pmax(max, v128.shuffle<f32>(max, max, 1, 0, 3, 2)), 0), MAX);
  splat(MAX);
}

/** The sums of all lanes, into the first of them, if they have worked on one row together. */
export function foldSums(): void {
  if (across) return;
  for (let at = workspace + SUM; at < workspace + END; at += 64) {
    const a = f64x2.add(v128.load(at), v128.load(at, 16));
    const b = f64x2.add(v128.load(at, 32), v128.load(at, 48));
    const sum = f64x2.add(a, b);
    f64.store(at, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
  const used = v128.or(v128.load(workspace, USED), v128.load(workspace, USED + 16));
  i32.store(workspace, v128.any_true(used) ? 1 : 0, USED);
}

/**
 * Takes the logarithms of the sums, two rows at a time. A sum that is not above 0 is that of a row that holds NaN or
 * Infinity, or nothing but -Infinity: it has no softmax, and becomes NaN, with a maximum of 0.
 */
export function settleSums(rows: usize): void {
  for (let r: usize = 0; r < rows; r += 2) {
    const lane = workspace + (r << 2);
    const lane64 = workspace + (r << 3);
    const found = v128.load(lane64, SUM);
    const isValid = f64x2.gt(found, f64x2.splat(0));
    const sum = v128.bitselect(found, f64x2.splat(NaN), isValid);
    v128.store(lane64, sum, SUM);
    v128.store(lane64, log(sum), LOG_SUM);
    const max = v128.and(v128.load64_zero(lane, MAX), v128.shuffle<i32>(isValid, isValid, 0, 2, 0, 2));
    v128.store64_lane(lane, max, 0, MAX);
  }
}
