import * as tf from '@tensorflow/tfjs';
import { jsLoops } from '../src/kernels/host/js-loops';
import { hostLoops } from '../src/kernels/simd/host-loops';
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

  test('JavaScript does the loops', () => expect(hostLoops()).toBe(jsLoops));

  for (const { name, run } of suites.golden('cpu')) test(name, async () => run({ backend: 'cpu' }));
});
