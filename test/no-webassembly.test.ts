import * as tf from '@tensorflow/tfjs';
import { ownPage } from '../src/kernels/host/own-page';
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

  test('JavaScript does the work', () => expect(String(ownPage().run)).not.toContain('[native code]'));

  for (const { name, run } of suites.golden('cpu')) test(name, async () => run({ backend: 'cpu' }));
});
