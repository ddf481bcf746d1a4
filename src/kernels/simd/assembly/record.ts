/** What is done once a row of a loss, two rows at a time: `host/record.ts`, which derives the formulas, in vectors. */
import { storeDemoted, Vector } from './math';
import {
  addLosses,
  classes,
  correct,
  ignoreIndex,
  labelShare,
  labels,
  perDivisor,
  record,
  upstream,
  upstreamStep,
  weights,
  workspace,
} from './parameters';
import { AT_LABEL, across, LOG_SUM, MASS, MAX, MINUS_K, PRODUCT, SCALE, SUM, splat, stride, USED } from './strand';

export function isIgnored(r: usize): bool {
  return labels !== 0 && load<i32>(labels + (r << 2)) === ignoreIndex;
}

/** For two rows, all bits of those that are not ignored. */
function areLive(r: usize): v128 {
  if (!labels) return i64x2.splat(-1);
  const ignored = i32x4.eq(v128.load64_zero(labels + (r << 2)), i32x4.splat(ignoreIndex));
  return v128.not(i64x2.extend_low_i32x4_s(ignored));
}

/** Ignored rows have a maximum of Infinity. A contiguous row that is ignored is left out anyway. */
export function markIgnored(): void {
  if (!labels || !across) return;
  for (let i: usize = 0; i < 32; i += 16) {
    const ignored = i32x4.eq(v128.load(labels + i), i32x4.splat(ignoreIndex));
    v128.store(workspace + i, v128.bitselect(f32x4.splat(Infinity), v128.load(workspace + i, MAX), ignored), MAX);
  }
}

/** Where the class of a row's label is in an array of the strand; 0 if it is no class, as `ignoreIndex` may be. */
function labelIn(array: usize, r: usize): usize {
  const c = <usize>load<i32>(labels + (r << 2));
  if (c >= classes) return 0;
  return array + (across ? c * stride + (r << 2) : c << 2);
}

/** Takes the logits at the labels. */
export function takeLabels(rows: usize, x: usize): void {
  if (!labels) return;
  for (let r: usize = 0; r < rows; r++) {
    const at = labelIn(x, r);
    if (at) f32.store(workspace + (r << 2), f32.load(at), AT_LABEL);
  }
}

/** The class weight of a row's label; whatever in an ignored row. */
function labelWeight(r: usize): f32 {
  const c = <usize>load<i32>(labels + (r << 2));
  return weights && c < classes ? f32.load(weights + (c << 2)) : 1;
}

/** Makes the records of rows whose sums are complete, and adds up their losses. */
export function finishLoss(rows: usize): void {
  const zero = i32x4.splat(0);
  let sumOfLikelihoods: v128 = zero;
  let sumOfSmoothings: v128 = zero;
  for (let r: usize = 0; r < rows; r += 2) {
    // The second row may not be there: what it gives is masked, and stored before the first one's, in the same place.
    const isThere = r + 1 < rows;
    const lane = workspace + (r << 2);
    const lane64 = workspace + (r << 3);
    const isLive = v128.and(areLive(r), i64x2.replace_lane(i64x2.splat(-1), 1, isThere ? -1 : 0));
    const max = v128.and(Vector.pair(lane + MAX, lane + MAX + 4), isLive);
    const sum = v128.load(lane64, SUM);
    const logSum = v128.load(lane64, LOG_SUM);
    let mass = v128.load(lane64, MASS);
    let isUsed = i64x2.ne(i64x2.extend_low_i32x4_s(v128.load64_zero(lane, USED)), zero);
    const ofClasses = f64x2.add(v128.load(lane64, PRODUCT), f64x2.mul(mass, logSum));
    let loss = v128.and(ofClasses, v128.and(isUsed, isLive));
    let weight = f64x2.splat(1);
    if (labels) {
      sumOfSmoothings = f64x2.add(sumOfSmoothings, loss);
      weight = f64x2.replace_lane(f64x2.splat(labelWeight(r)), 1, isThere ? labelWeight(r + 1) : 0);
      weight = v128.and(weight, isLive);
      const atLabel = f64x2.mul(f64x2.splat(labelShare), weight);
      // -log p is (max - x) + logSum, in this order: exact for a row whose loss is almost 0.
      const x = Vector.pair(lane + AT_LABEL, lane + AT_LABEL + 4);
      const minusLogP = f64x2.add(f64x2.sub(max, x), logSum);
      if (correct) {
        const isCorrect = v128.and(v128.and(f64x2.eq(max, x), f64x2.gt(sum, zero)), isLive);
        const results = f32x4.demote_f64x2_zero(v128.and(isCorrect, f64x2.splat(1)));
        const at = correct + (r << 2);
        v128.store32_lane(isThere ? at + 4 : at, results, 1);
        v128.store32_lane(at, results, 0);
      }
      const likelihood = v128.and(Vector.unlessZero(atLabel, f64x2.mul(atLabel, minusLogP)), isLive);
      sumOfLikelihoods = f64x2.add(sumOfLikelihoods, likelihood);
      loss = f64x2.add(loss, likelihood);
      mass = f64x2.add(mass, atLabel);
      isUsed = v128.or(isUsed, f64x2.ne(atLabel, zero));
    } else {
      sumOfLikelihoods = f64x2.add(sumOfLikelihoods, loss);
    }
    const massPerSum = v128.and(f64x2.div(mass, sum), v128.and(isUsed, isLive));
    const terms = v128.shuffle<f32>(f32x4.demote_f64x2_zero(max), f32x4.demote_f64x2_zero(massPerSum), 0, 4, 1, 5);
    const results = v128.shuffle<f32>(f32x4.demote_f64x2_zero(loss), f32x4.demote_f64x2_zero(weight), 0, 4, 1, 5);
    const row = record + (r << 4);
    const next = isThere ? row + 16 : row;
    v128.store64_lane(next, terms, 1);
    v128.store64_lane(next, results, 1, 8);
    v128.store64_lane(row, terms, 0);
    v128.store64_lane(row, results, 0, 8);
  }
  addLosses(
    f64x2.extract_lane(sumOfLikelihoods, 0) + f64x2.extract_lane(sumOfLikelihoods, 1),
    f64x2.extract_lane(sumOfSmoothings, 0) + f64x2.extract_lane(sumOfSmoothings, 1),
  );
}

/** From the records of rows the terms of their gradients, `scale * exp(x - max) + minusK * coefficient`. */
export function loadGradientTerms(rows: usize): void {
  const k = f64x2.splat(perDivisor);
  for (let r: usize = 0; r < rows; r += 2) {
    const s = min(r + 1, rows - 1);
    const lane = workspace + (r << 2);
    const a = v128.load(record + (r << 4));
    const b = v128.load(record + (s << 4));
    const massPerSum = f64x2.promote_low_f32x4(v128.shuffle<f32>(a, b, 1, 5, 1, 5));
    const dy = Vector.pair(upstream + r * upstreamStep, upstream + s * upstreamStep);
    const perUnit = f64x2.mul(dy, k);
    storeDemoted(lane + SCALE, f64x2.mul(perUnit, massPerSum));
    storeDemoted(lane + MINUS_K, f64x2.neg(perUnit));
    const isLive = v128.shuffle<i32>(areLive(r), areLive(r), 0, 2, 0, 2);
    const max = v128.bitselect(v128.shuffle<f32>(a, b, 0, 4, 0, 4), f32x4.splat(Infinity), isLive);
    v128.store64_lane(lane, max, 0, MAX);
  }
  if (across) return;
  splat(MAX);
  splat(SCALE);
  splat(MINUS_K);
}

/** What the gradient has at the labels only. */
export function subtractLabels(rows: usize, out: usize): void {
  for (let r: usize = 0; r < rows; r++) {
    const at = labelIn(out, r);
    if (!at || isIgnored(r)) continue;
    const weight = f32.load(record + (r << 4), 12);
    const ofLabel = <f64>f32.load(workspace + (r << 2), MINUS_K) * labelShare * weight;
    f32.store(at, <f32>(f32.load(at) + ofLabel));
  }
}
