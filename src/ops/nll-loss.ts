import { zerosLike } from '@tensorflow/tfjs-core';
import { defineLoss, notDifferentiable } from './loss';

const indices = notDifferentiable('NLLLoss');

/** `-w[t] * x[t]` of each row, reduced. Its gradient is `-(dy / divisor) * w[t]` at each label, whatever the input. */
export const nllLossOp = defineLoss('NLLLoss', {
  loss: () => indices,
  grad: (_v, { input }) => ({ input: () => zerosLike(input), ...indices }),
});
