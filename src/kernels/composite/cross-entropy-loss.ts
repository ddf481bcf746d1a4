import { div, exp, log, mul, neg, reshape, scalar, slice, sub, sum, tidy, where, zeros } from '@tensorflow/tfjs-core';
import { classView } from '../../contract/class-view';
import {
  coefficients,
  dense,
  liveRows,
  massOf,
  oneHotRows,
  perClass,
  perRow,
  rowWeights,
  weighted,
} from '../../contract/formulas';
import type { Kernels, LossAttrs, LossInputs, Tensors } from '../../contract/kernels';
import { emptyLoss, type OutputTensors, reduceRows } from './reduce';
import { exponentials } from './softmax';

export const crossEntropyLoss = (inputs: LossInputs, attrs: LossAttrs): OutputTensors =>
  tidy(() => {
    const { input, target, weight } = inputs as Tensors<typeof inputs>;
    if (input.size === 0) return emptyLoss(inputs, attrs);
    const view = classView(input.shape, attrs.dim);
    const { rowMax, shifted, sumExp } = exponentials(dense(input, view));
    const logProbs = sub(shifted, log(sumExp));
    const rows = { max: rowMax, sumExp };
    if (target.dtype !== 'int32') {
      const qw = coefficients(target, weight, attrs, view);
      const losses = [neg(sum(weighted(qw, logProbs), 1, true))];
      return reduceRows({ ...rows, losses, weight: massOf(qw) }, inputs, attrs);
    }
    const { ignoreIndex, labelSmoothing } = attrs;
    const rowWeight = rowWeights(target, weight, view, ignoreIndex);
    const label = sum(where(oneHotRows(target, view), logProbs, scalar(0)), 1, true);
    const losses = [neg(weighted(mul(rowWeight, 1 - labelSmoothing), label))];
    if (labelSmoothing > 0) {
      const all = sum(weight.size > 0 ? weighted(perClass(weight), logProbs) : logProbs, 1, true);
      losses.push(where(liveRows(target, view, ignoreIndex), mul(all, -labelSmoothing / view.classes), scalar(0)));
    }
    return reduceRows({ ...rows, losses, weight: rowWeight }, inputs, attrs);
  });

export const crossEntropyLossGrad: Kernels<unknown>['CrossEntropyLossGrad'] = (inputs, attrs) =>
  tidy(() => {
    const { input, target, weight, dy, record, divisor } = inputs as Tensors<typeof inputs>;
    if (input.size === 0) return zeros(input.shape);
    const view = classView(input.shape, attrs.dim);
    const column = (index: number) => perRow(slice(record, [0, index], [view.rows, 1]), view);
    const p = div(exp(sub(dense(input, view), column(0))), column(1));
    const k = perRow(div(dy, divisor), view);
    const d = coefficients(target, weight, attrs, view, k);
    const dx = sub(mul(p, sum(d, 1, true)), d);
    if (target.dtype !== 'int32') return reshape(dx, input.shape);
    return reshape(where(liveRows(target, view, attrs.ignoreIndex), dx, scalar(0)), input.shape);
  });
