import { neg, reshape, scalar, sum, tidy, where, zeros, zerosLike } from '@tensorflow/tfjs-core';
import { classView } from '../../contract/class-view';
import { coefficients, dense, oneHotRows, perUnitOf, rowWeights, weighted } from '../../contract/formulas';
import type { Kernels, LossAttrs, LossInputs, Tensors } from '../../contract/kernels';
import { emptyLoss, type OutputTensors, reduceRows } from './reduce';

export const nllLoss = (inputs: LossInputs, attrs: LossAttrs): OutputTensors =>
  tidy(() => {
    const { input, target, weight } = inputs as Tensors<typeof inputs>;
    if (input.size === 0) return emptyLoss(inputs, attrs);
    const view = classView(input.shape, attrs.dim);
    const x = dense(input, view);
    const rowWeight = rowWeights(target, weight, view, attrs.ignoreIndex);
    const label = sum(where(oneHotRows(target, view), x, scalar(0)), 1, true);
    const zero = zerosLike(rowWeight);
    const losses = [neg(weighted(rowWeight, label))];
    return reduceRows({ max: zero, massPerSum: zero, losses, weight: rowWeight }, inputs, attrs);
  });

export const nllLossGrad: Kernels<unknown>['NLLLossGrad'] = (inputs, attrs) =>
  tidy(() => {
    const { input, target, weight } = inputs as Tensors<typeof inputs>;
    if (input.size === 0) return zeros(input.shape);
    const view = classView(input.shape, attrs.dim);
    const k = perUnitOf(inputs as Tensors<typeof inputs>, attrs, view);
    return reshape(neg(coefficients(target, weight, attrs, view, k)), input.shape);
  });
