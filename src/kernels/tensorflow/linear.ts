import { add, matMul, range, slice, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { consume } from '../../contract/consume';
import type { Kernels, Tensors } from '../../contract/kernels';
import { runNative, type TensorflowBackend } from './backend';

type Native = Kernels<TensorflowBackend>;

/** Elements of the sum that are added to at a time: what is added has to be there first. */
const BLOCK = 2 ** 20;

export const linearLogits: Native['LinearLogits'] = (inputs) => {
  const { x, weight, bias } = inputs as Tensors<typeof inputs>;
  const products = matMul(x, weight, false, true);
  return bias.size === 0 ? products : consume(products, (products) => add(products, bias));
};

/** In place, some units at a time. */
export const linearWeightGrad: Native['LinearWeightGrad'] = (inputs, _, backend) => {
  const { sum, gradient, x } = inputs as Tensors<typeof inputs>;
  const [rows, units] = gradient.shape;
  const size = Math.max(1, Math.floor(BLOCK / x.shape[1]!));
  for (let first = 0; first < units; first += size) {
    const count = Math.min(size, units - first);
    tidy(() => {
      const product = consume(slice(gradient, [0, first], [rows, count]), (part: Tensor) => matMul(part, x, true));
      runNative(backend, 'InplaceAdd', [sum, range(first, first + count, 1, 'int32'), product]);
    });
  }
  return sum;
};
