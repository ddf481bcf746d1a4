import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { type SuiteName, suites } from './suites';

/** In debug mode TensorFlow.js lets nobody upload NaN or Infinity; these suites do not do so themselves. */
const SUITES: Record<string, SuiteName[]> = {
  cpu: ['derivatives', 'properties', 'layers'],
  wasm: ['derivatives', 'properties'],
  composite: ['derivatives'],
};

describe.each(Object.keys(SUITES))('%s in debug mode', (backend) => {
  beforeAll(async () => {
    jest.spyOn(console, 'log').mockImplementation(() => {}); // a line for every kernel
    jest.spyOn(console, 'warn').mockImplementation(() => {}); // and for every NaN that is computed
    if (backend === 'composite') {
      tf.registerBackend(backend, () => new MathBackendCPU());
      tf.copyRegisteredKernels('cpu', backend);
      for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
        const isOurs = /Dim(Grad)?$|^(NLL|CrossEntropy)Loss|^ScaleGradient$|^Linear(Logits|InputGrad|WeightGrad)$/.test(
          kernelName,
        );
        if (isOurs) tf.unregisterKernel(kernelName, backend);
      }
    }
    expect(await tf.setBackend(backend)).toBe(true);
    tf.env().set('DEBUG', true);
  });

  afterAll(() => {
    tf.env().set('DEBUG', false);
    jest.restoreAllMocks();
  });

  describe.each(SUITES[backend])('%s', (suite) => {
    // Three checks upload NaN or Infinity themselves.
    const checks = suites[suite](backend).filter(
      ({ name }) => !/^(masked classes|float labels|by probabilities that have no share)/.test(name),
    );
    for (const { name, run } of checks) test(name, async () => run({ backend }), 60_000);
  });
});
