import * as tf from '@tensorflow/tfjs';
import { javascript } from '../src/kernels/host/javascript';
import { ownRowKernels } from '../src/kernels/simd/own-row-kernels';
import { suites } from './suites';

const { WebAssembly } = globalThis;

describe('cpu without WebAssembly', () => {
  beforeAll(async () => {
    Object.assign(globalThis, { WebAssembly: undefined });
    await tf.setBackend('cpu');
  });

  afterAll(() => {
    Object.assign(globalThis, { WebAssembly });
  });

  test('JavaScript does the work', () => expect(ownRowKernels()).toBe(javascript));

  for (const { name, run } of suites.golden('cpu')) test(name, async () => run({ backend: 'cpu' }));
});
