import {
  add,
  cast,
  div,
  engine,
  equal,
  gather,
  greater,
  greaterEqual,
  less,
  logicalAnd,
  logicalNot,
  logicalOr,
  max,
  mul,
  notEqual,
  range,
  reshape,
  scalar,
  sub,
  type Tensor,
  tidy,
  where,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { type ClassView, classView } from './class-view';
import type { LossAttrs } from './kernels';
import { blockedSum } from './sum';

/**
 * The terms of the loss formulas in public, differentiable ops over the class view: what is dense is
 * `[outer, classes, inner]`, what belongs to a row `[outer, 1, inner]`, to a class `[1, classes, 1]`.
 */

/** The same data once more, as a tensor that no derivative runs through. */
export function detached(x: Tensor): Tensor {
  engine().state.tensorInfo.get(x.dataId)!.backend.incRef(x.dataId);
  return engine().makeTensorFromTensorInfo(x);
}

export function dense(x: Tensor, { outer, classes, inner }: ClassView): Tensor {
  return reshape(x, [outer, classes, inner]);
}

/** Applies `f` to tensors of one shape in their class view, whatever their rank. */
export function inClassView(tensors: Tensor[], dim: number, f: (...dense: Tensor[]) => Tensor): Tensor {
  const { shape, size } = tensors[0];
  if (size === 0) return zeros(shape); // not every backend's ops bear nothing
  const view = classView(shape, dim);
  return tidy(() => reshape(f(...tensors.map((x) => dense(x, view))), shape));
}

/** A tensor with one value a row, or a scalar for all of them. */
export function perRow(x: Tensor, { outer, inner }: ClassView): Tensor {
  return x.rank === 0 ? reshape(x, [1, 1, 1]) : reshape(x, [outer, 1, inner]);
}

function perClass(weight: Tensor): Tensor {
  return reshape(weight, [1, weight.size, 1]);
}

/** `x * w[c]`. */
export function timesClassWeights(x: Tensor, weight: Tensor): Tensor {
  return weight.size > 0 ? mul(x, perClass(weight)) : x;
}

/** `share * w[c] * logProb[c]`. The share first: class weights alone might make what is large overflow. */
export function shareOfLogProbs(share: number, weight: Tensor, logProbs: Tensor): Tensor {
  return weight.size > 0 ? weighted(mul(perClass(weight), share), logProbs) : mul(logProbs, share);
}

/** `coefficient * x`, but exactly 0 where the coefficient is 0, also when `x` is not finite. */
export function weighted(coefficient: Tensor, x: Tensor): Tensor {
  return where(equal(detached(coefficient), 0), zerosLike(x), mul(coefficient, x));
}

/** `x` in these rows, and 0 in the others, whatever `x` is there; so is its derivative. */
export function only(rows: Tensor, x: Tensor): Tensor {
  return where(rows, x, zerosLike(x));
}

/** By arithmetic: in debug mode TensorFlow.js lets nobody upload one, nor Infinity. */
export function nan(): Tensor {
  const infinity = mul(scalar(3e38), scalar(3e38));
  return sub(infinity, infinity);
}

/** `a / b`, also where WebGL's division has 1 for 0 / 0. */
export function quotient(a: Tensor, b: Tensor): Tensor {
  return where(logicalAnd(equal(detached(a), 0), equal(detached(b), 0)), nan(), div(a, b));
}

/** Which rows of an index target are not ignored. */
export function liveRows(target: Tensor, view: ClassView, ignoreIndex: number): Tensor {
  return notEqual(perRow(target, view), scalar(ignoreIndex, 'int32'));
}

/** Which rows of an index target have a class for a label. */
function rowsOfClasses(target: Tensor, view: ClassView): Tensor {
  const t = perRow(target, view);
  return logicalAnd(greaterEqual(t, scalar(0, 'int32')), less(t, scalar(view.classes, 'int32')));
}

/** `w[t]`: 0 for an ignored row, and NaN for a label that is no class, so that its loss cannot pass for right. */
export function rowWeights(target: Tensor, weight: Tensor, view: ClassView, ignoreIndex: number): Tensor {
  const t = perRow(target, view);
  const inRange = rowsOfClasses(target, view);
  const label = where(inRange, t, zerosLike(t));
  const labelWeight = weight.size === 0 ? cast(inRange, 'float32') : gather(weight, reshape(label, [view.rows]));
  const valid = where(inRange, perRow(labelWeight, view), nan());
  return where(liveRows(target, view, ignoreIndex), valid, zerosLike(valid));
}

/** 1 at each row's label, 0 elsewhere. */
export function oneHotRows(target: Tensor, view: ClassView): Tensor {
  return equal(perRow(target, view), reshape(range(0, view.classes, 1, 'int32'), [1, view.classes, 1]));
}

/** `T * (1 - e) + e / C`. */
export function smoothed(target: Tensor, { labelSmoothing }: LossAttrs, { classes }: ClassView): Tensor {
  if (labelSmoothing === 0) return target;
  return add(mul(target, 1 - labelSmoothing), labelSmoothing / classes);
}

/**
 * What multiplies `-logProb[c]` in the loss of a row: probability times class weight, smoothed; times `k` where given.
 * With indices `(1 - e) * w[t] * [c == t] + (e / C) * w[c]`, 0 in ignored rows, and NaN for all classes where the label
 * is none of them; with probabilities `(T * (1 - e) + e / C) * w[c]`.
 */
export function coefficients(target: Tensor, weight: Tensor, attrs: LossAttrs, view: ClassView, k?: Tensor): Tensor {
  const { labelSmoothing, ignoreIndex } = attrs;
  const scaled = (x: Tensor) => (k ? mul(k, x) : x);
  if (attrs.target === 'probabilities')
    return scaled(timesClassWeights(smoothed(dense(target, view), attrs, view), weight));
  const atLabel = scaled(mul(rowWeights(target, weight, view, ignoreIndex), 1 - labelSmoothing));
  const holdsLabel = logicalOr(oneHotRows(target, view), logicalNot(rowsOfClasses(target, view)));
  const onLabel = where(holdsLabel, atLabel, scalar(0));
  const all =
    labelSmoothing === 0
      ? onLabel
      : add(onLabel, scaled(timesClassWeights(scalar(labelSmoothing / view.classes), weight)));
  return where(liveRows(target, view, ignoreIndex), all, scalar(0));
}

/** The rows of which any element is true. WebGPU's `any` fails in silence along a dimension that is not the last. */
export function rowsWithAny(isTrue: Tensor): Tensor {
  return greater(max(where(isTrue, scalar(1), scalar(0)), 1, true), 0);
}

/** The rows that have any coefficient but 0: the others contribute 0 to value and gradient, whatever their logits. */
export function countedRows(coefficients: Tensor): Tensor {
  return rowsWithAny(notEqual(detached(coefficients), 0));
}

/** `dy / divisor` of each row; 0 for an ignored one, whose derivative is 0 too where the divisor is. */
export function perUnitOf(
  { dy, divisor, target }: { dy: Tensor; divisor?: Tensor; target: Tensor },
  { target: kind, reduction, ignoreIndex }: LossAttrs,
  view: ClassView,
): Tensor {
  const upstream = perRow(dy, view);
  if (kind === 'probabilities') return reduction === 'mean' ? quotient(upstream, scalar(view.rows)) : upstream;
  const isLive = liveRows(target, view, ignoreIndex);
  return quotient(only(isLive, upstream), where(isLive, perRow(divisor!, view), scalar(1)));
}

/** The sum of a row's coefficients. Of a copy: WebGPU cannot sum up what was cast from int32. */
export function massOf(coefficients: Tensor): Tensor {
  return blockedSum(mul(coefficients, 1));
}
