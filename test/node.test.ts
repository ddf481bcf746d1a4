/** @jest-environment ./test/support/native-environment.mjs */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { type SuiteName, suiteNames, suites } from './suites';
import { describeWith } from './support/backends';

function describeBackend(backend: string) {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
    await tf.ready();
  });

  describe.each(suiteNames)('%s', (suite: SuiteName) => {
    for (const { name, run } of suites[suite](backend)) test(name, async () => run({ backend }), 60_000);
  });
}

describe('cpu', () => describeBackend('cpu'));

describe('wasm', () => describeBackend('wasm'));

describeWith('NATIVE')('tensorflow', () => {
  beforeAll(() => require('@tensorflow/tfjs-node'));
  describeBackend('tensorflow');
});
