import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { goldenSuite } from './suites/golden';

describe.each(['cpu', 'wasm', 'tensorflow'])('%s', (backend) => {
  beforeAll(async () => {
    if (backend === 'tensorflow') require('@tensorflow/tfjs-node');
    await tf.setBackend(backend);
    await tf.ready();
  });
  describe('golden', () => {
    for (const { name, run } of goldenSuite(backend)) test(name, async () => run({ backend }));
  });
});
