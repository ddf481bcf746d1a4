import { add, fused, matMul, tidy } from '@tensorflow/tfjs-core';
import type { Kernels, Tensors } from '../../contract/kernels';

type Linear = Kernels<unknown>;

export const linearLogits: Linear['LinearLogits'] = (inputs) => {
  const { x: a, weight: b, bias } = inputs as Tensors<typeof inputs>;
  return fused.matMul({ a: a as never, b: b as never, transposeB: true, bias: bias.size > 0 ? bias : undefined });
};

export const linearInputGrad: Linear['LinearInputGrad'] = (inputs) => {
  const { gradient, weight } = inputs as Tensors<typeof inputs>;
  return matMul(gradient, weight);
};

export const linearWeightGrad: Linear['LinearWeightGrad'] = (inputs) => {
  const { sum, gradient, x } = inputs as Tensors<typeof inputs>;
  return tidy(() => add(sum, matMul(gradient, x, true)));
};
