import { mul, neg, reshape, type Tensor, zerosLike } from '@tensorflow/tfjs-core';
import { classView } from '../contract/class-view';
import {
  coefficients,
  countedRows,
  dense,
  massOf,
  only,
  perUnitOf,
  shareOfLogProbs,
  smoothed,
  timesClassWeights,
  weighted,
} from '../contract/formulas';
import type { LossAttrs } from '../contract/kernels';
import { sumOfRows } from '../contract/sum';
import { labelsForOps } from '../kernels/known-values';
import { defineLoss, type LossGradTensors, type LossTensors, notDifferentiable } from './loss';
import { centred, logSoftmaxOp, softmaxOp } from './softmax';

const VIEW = { dim: 1 };

/**
 * `-sum over c of q[c] * w[c] * logSoftmax(x)[c]` of each row, reduced; `q` is the target, smoothed. Its gradient is
 * `(dy / divisor) * (mass * softmax(x) - q * w)` with `mass = sum(q * w)`.
 */
export const crossEntropyLossOp = defineLoss('CrossEntropyLoss', {
  loss(dy, inputs, attrs) {
    if (attrs.target === 'indices') return indices;
    const { target, weight } = inputs;
    if (target.size === 0) return { target: () => zerosLike(target), weight: () => zerosLike(weight) };
    return {
      target: () => {
        const { x, k } = terms({ ...inputs, dy }, attrs);
        // Without a share in the loss, a probability has no derivative, not even by way of an infinite logarithm.
        const logP = attrs.labelSmoothing === 1 ? zerosLike(x) : logSoftmaxOp(x, VIEW);
        return reshape(mul(shareOfLogProbs(1 - attrs.labelSmoothing, weight, logP), neg(k)), target.shape);
      },
      weight: () => {
        const { x, k, q } = terms({ ...inputs, dy }, attrs);
        return sumOfRows(mul(weighted(q(), logSoftmaxOp(x, VIEW)), neg(k)));
      },
    };
  },

  grad(v, inputs, attrs) {
    const { input, weight } = inputs;
    const target = labelsForOps(inputs.target);
    if (input.size === 0) {
      const zeros = (x: Tensor) => () => zerosLike(x);
      return { input: zeros(input), target: zeros(target), weight: zeros(weight) };
    }
    const { view, x, k, q } = terms({ ...inputs, target }, attrs);
    const all = coefficients(target, weight, attrs, view);
    /** How far `v` is from its mean under the softmax: `v - <p, v>`. */
    const fromMean = (p: Tensor) => centred(dense(v, view), p);
    const byInput = () => {
      // The logits of rows that count nothing may be such that no derivative bears them: 0 is as good as any.
      const p = softmaxOp(only(countedRows(all), x), VIEW);
      return reshape(mul(mul(massOf(all), k), mul(p, fromMean(p))), input.shape);
    };
    if (attrs.target === 'indices') return { input: byInput, ...indices };
    return {
      input: byInput,
      target: () => {
        // Neither weight nor `k` is the last factor, here and below: it would magnify an underflow.
        const outer = timesClassWeights(mul(k, attrs.labelSmoothing - 1), weight);
        return reshape(mul(outer, fromMean(softmaxOp(x, VIEW))), target.shape);
      },
      weight: () => sumOfRows(mul(mul(q(), neg(k)), fromMean(softmaxOp(x, VIEW)))),
    };
  },
});

const indices = notDifferentiable('CrossEntropyLoss');

type Terms = LossTensors & Pick<LossGradTensors, 'dy'> & Partial<Pick<LossGradTensors, 'divisor'>>;

/** In the class view: the logits, `k = dy / divisor` of each row, and the smoothed probabilities. */
function terms(inputs: Terms, attrs: LossAttrs) {
  const { input, target } = inputs;
  const view = classView(input.shape, attrs.dim);
  return {
    view,
    x: dense(input, view),
    k: perUnitOf(inputs, attrs, view),
    q: () => smoothed(dense(target, view), attrs, view),
  };
}
