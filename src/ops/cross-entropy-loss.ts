import { div, mul, neg, reshape, sum, where, zerosLike } from '@tensorflow/tfjs-core';
import { classView } from '../contract/class-view';
import { coefficients, dense, liveRows, massOf, perClass, perRow, smoothed, weighted } from '../contract/formulas';
import type { LossAttrs } from '../contract/kernels';
import { defineLoss, type LossGradTensors, notDifferentiable } from './loss';
import { centred, logSoftmaxOp, softmaxOp } from './softmax';

const VIEW = { dim: 1 };

/**
 * `-sum over c of q[c] * w[c] * logSoftmax(x)[c]` of each row, reduced; `q` is the target, smoothed. Its gradient is
 * `(dy / divisor) * (mass * softmax(x) - q * w)` with `mass = sum(q * w)`.
 */
export const crossEntropyLossOp = defineLoss('CrossEntropyLoss', {
  loss(inputs, attrs) {
    const { target, weight } = inputs;
    if (target.dtype === 'int32') return indices;
    const constant = attrs.labelSmoothing === 1 || target.size === 0;
    return {
      target: () => {
        if (constant) return zerosLike(target);
        const { x, k } = terms(inputs, attrs);
        const logP = logSoftmaxOp(x, VIEW);
        const weightedLogP = weight.size > 0 ? weighted(perClass(weight), logP) : logP;
        return reshape(mul(weightedLogP, mul(k, attrs.labelSmoothing - 1)), target.shape);
      },
      weight: () => {
        const { x, k, q } = terms(inputs, attrs);
        return sum(mul(weighted(q(), logSoftmaxOp(x, VIEW)), neg(k)), [0, 2]);
      },
    };
  },

  grad(v, inputs, attrs) {
    const { target, weight } = inputs;
    const { view, x, k, q } = terms(inputs, attrs);
    const p = softmaxOp(x, VIEW);
    /** `v - <p, v>`. */
    const spread = centred(dense(v, view), p);
    const input = () => {
      const mass = massOf(coefficients(target, weight, attrs, view));
      const turn = mul(mul(mass, k), mul(p, spread));
      if (target.dtype !== 'int32') return reshape(turn, inputs.input.shape);
      return reshape(where(liveRows(target, view, attrs.ignoreIndex), turn, zerosLike(turn)), inputs.input.shape);
    };
    if (target.dtype === 'int32') return { input, ...indices };
    return {
      input,
      target: () => {
        const unweighted = mul(spread, mul(k, attrs.labelSmoothing - 1));
        return reshape(weight.size > 0 ? mul(unweighted, perClass(weight)) : unweighted, target.shape);
      },
      weight: () => sum(mul(mul(q(), spread), neg(k)), [0, 2]),
    };
  },
});

const indices = {
  target: notDifferentiable('CrossEntropyLoss', 'target'),
  weight: notDifferentiable('CrossEntropyLoss', 'weight'),
};

/** In the class view: the logits, `k = dy / divisor` of each row, and the smoothed probabilities. */
function terms({ dy, divisor, input, target }: LossGradTensors, attrs: LossAttrs) {
  const view = classView(input.shape, attrs.dim);
  return {
    view,
    x: dense(input, view),
    k: perRow(div(dy, divisor), view),
    q: () => smoothed(dense(target, view), attrs, view),
  };
}
