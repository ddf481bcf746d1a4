import {
  add,
  div,
  equal,
  exp,
  greater,
  log,
  logicalAnd,
  mul,
  neg,
  onesLike,
  reshape,
  scalar,
  slice,
  sub,
  sum,
  type Tensor,
  tidy,
  where,
  zeros,
} from '@tensorflow/tfjs-core';
import { classView } from '../../contract/class-view';
import {
  coefficients,
  countedRows,
  dense,
  liveRows,
  massOf,
  oneHotRows,
  only,
  perRow,
  perUnitOf,
  rowsWithAny,
  rowWeights,
  shareOfLogProbs,
  weighted,
} from '../../contract/formulas';
import type { Kernels, LossAttrs, LossInputs, Tensors } from '../../contract/kernels';
import { blockedSum } from '../../contract/sum';
import { emptyLoss, type OutputTensors, reduceRows } from './reduce';
import { exponentials } from './softmax';

export const crossEntropyLoss = (inputs: LossInputs, attrs: LossAttrs): OutputTensors =>
  tidy(() => {
    const { input, target, weight } = inputs as Tensors<typeof inputs>;
    if (input.size === 0) return emptyLoss(inputs, attrs);
    const view = classView(input.shape, attrs.dim);
    const { rowMax, shifted, sumExp } = exponentials(dense(input, view));
    const logProbs = sub(shifted, log(sumExp));
    const all = coefficients(target, weight, attrs, view);
    const perSum = only(countedRows(all), div(massOf(all), sumExp));
    const rows = { max: rowMax, massPerSum: perSum };
    if (attrs.target === 'probabilities') {
      const losses = [neg(blockedSum(weighted(all, logProbs)))];
      return reduceRows({ ...rows, losses, weight: onesLike(rowMax) }, inputs, attrs);
    }
    const { ignoreIndex, labelSmoothing } = attrs;
    const rowWeight = rowWeights(target, weight, view, ignoreIndex);
    const label = sum(where(oneHotRows(target, view), logProbs, scalar(0)), 1, true);
    const losses = [neg(weighted(mul(rowWeight, 1 - labelSmoothing), label))];
    if (labelSmoothing > 0) {
      const ofClasses = shareOfLogProbs(-labelSmoothing / view.classes, weight, logProbs);
      losses.push(only(liveRows(target, view, ignoreIndex), blockedSum(ofClasses)));
    }
    const isLargest = () => rowsWithAny(logicalAnd(equal(shifted, 0), oneHotRows(target, view)));
    const correct = attrs.stats ? logicalAnd(isLargest(), greater(sumExp, 0)) : undefined;
    return reduceRows({ ...rows, losses, weight: rowWeight, correct }, inputs, attrs);
  });

export const crossEntropyLossGrad: Kernels<unknown>['CrossEntropyLossGrad'] = (inputs, attrs) =>
  tidy(() => {
    const { input, target, weight, record } = inputs as Tensors<typeof inputs>;
    if (input.size === 0) return zeros(input.shape);
    const view = classView(input.shape, attrs.dim);
    const column = (index: number) => perRow(slice(record, [0, index], [view.rows, 1]), view);
    const k = perUnitOf(inputs as Tensors<typeof inputs>, attrs, view);
    const scale = mul(k, column(1));
    const dx = sub(
      weighted(scale, exp(sub(dense(input, view), column(0)))),
      coefficients(target, weight, attrs, view, k),
    );
    if (attrs.target === 'probabilities') return reshape(dx, input.shape);
    return reshape(only(liveRows(target, view, attrs.ignoreIndex), dx), input.shape);
  });

export const scaleGradient: Kernels<unknown>['ScaleGradient'] = (inputs, attrs) =>
  tidy(() => {
    const { gradient, dy, target } = inputs as Tensors<typeof inputs>;
    if (gradient.size === 0) return zeros(gradient.shape);
    const view = classView(gradient.shape, attrs.dim);
    // Times Infinity it is the difference of two numbers, NaN where both are Infinity: what has a coefficient.
    const difference = perRow(sub(dy, dy), view);
    const ofLabels = attrs.target === 'indices' && attrs.labelSmoothing === 0;
    const atCoefficients = ofLabels ? where(oneHotRows(target, view), difference, scalar(0)) : difference;
    const result = add(dense(scaled({ gradient, dy }, attrs), view), atCoefficients);
    if (attrs.target === 'probabilities') return reshape(result, gradient.shape);
    return reshape(only(liveRows(target, view, attrs.ignoreIndex), result), gradient.shape);
  });

/** The same for upstream gradients that are finite. One over the other might be 0. */
export const scaled = ({ gradient, dy }: { gradient: Tensor; dy: Tensor }, { dim, upstream }: LossAttrs): Tensor =>
  tidy(() => {
    const perUpstream = upstream === 1 ? gradient : mul(gradient, 1 / upstream);
    if (dy.rank === 0) return mul(perUpstream, dy);
    const view = classView(gradient.shape, dim);
    return reshape(mul(dense(perUpstream, view), perRow(dy, view)), gradient.shape);
  });
