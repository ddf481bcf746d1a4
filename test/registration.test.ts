import * as tf from '@tensorflow/tfjs';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { crossEntropy } from 'tfjs-cross-entropy';
import { goldenSuite } from './suites/golden';
import { linearSuite } from './suites/linear';

const NAMES = [
  'NLLLoss',
  'NLLLossGrad',
  'CrossEntropyLoss',
  'CrossEntropyLossGrad',
  'LogSoftmaxDim',
  'LogSoftmaxDimGrad',
  'SoftmaxDim',
  'SoftmaxDimGrad',
];

const LINEAR = ['LinearLogits', 'LinearInputGrad', 'LinearWeightGrad'];

const loss = () => crossEntropy(tf.tensor2d([[2, 1, 0]]), tf.tensor1d([0], 'int32')).dataSync()[0];

describe('importing the package', () => {
  test.each(NAMES)('registers %s, its gradient, and its kernels on the backends known by name', (kernelName) => {
    expect(tf.getGradient(kernelName)).toBeDefined();
    for (const backend of ['cpu', 'wasm', 'webgl', 'webgpu', 'tensorflow']) {
      expect(tf.getKernel(kernelName, backend)).toBeDefined();
    }
  });

  test("leaves core's own kernels alone", () => {
    expect(NAMES).not.toContain('LogSoftmax');
    expect(tf.getKernel('Softmax', 'cpu').kernelFunc.toString()).not.toContain('expNonPositive');
  });

  test('a second copy of the package finds the kernels there, and warns of nothing', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    jest.isolateModules(() => require('tfjs-cross-entropy'));
    const warnings = warn.mock.calls.flat().filter((text) => /kernel/.test(String(text))); // core warns of its own
    warn.mockRestore();
    expect(warnings).toEqual([]);
  });

  test('tensors of a second copy of tfjs-core work', () => {
    jest.isolateModules(() => {
      const other: typeof tf = require('@tensorflow/tfjs-core');
      expect(other.Tensor).not.toBe(tf.Tensor);
      const x = other.tensor2d([[2, 1, 0]]);
      const f = (y: tf.Tensor) => crossEntropy(y, other.tensor1d([0], 'int32'));
      expect(other.grad(f)(x).dataSync()[0]).toBeCloseTo(-0.33476, 4);
    });
  });
});

describe('a backend that nobody knows', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
    loss();
    tf.registerBackend('mine', () => new MathBackendCPU());
    // Silences the warnings of copying what a backend of its own would have registered by itself.
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    tf.copyRegisteredKernels('cpu', 'mine');
    warn.mockRestore();
    for (const kernelName of [...NAMES, ...LINEAR]) tf.unregisterKernel(kernelName, 'mine');
    expect(await tf.setBackend('mine')).toBe(true);
  });

  afterAll(async () => {
    await tf.setBackend('cpu');
    tf.removeBackend('mine');
  });

  test('gets the composite kernels on first use', () => {
    expect(tf.getKernel('CrossEntropyLoss', 'mine')).toBeUndefined();
    expect(loss()).toBeCloseTo(0.40761, 4);
    expect(tf.getKernel('CrossEntropyLoss', 'mine')).toBeDefined();
  });

  test('keeps a kernel that it brings itself', () => {
    tf.unregisterKernel('CrossEntropyLoss', 'mine');
    const kernelFunc = jest.fn(() => [tf.scalar(7), tf.zeros([1, 4]), tf.scalar(1)]);
    tf.registerKernel({ kernelName: 'CrossEntropyLoss', backendName: 'mine', kernelFunc });
    expect(loss()).toBe(7);
    tf.unregisterKernel('CrossEntropyLoss', 'mine');
  });

  for (const { name, run } of goldenSuite('mine')) test(name, async () => run({ backend: 'mine' }));

  for (const { name, run } of linearSuite('cpu').filter(({ name }) => !name.startsWith('memory'))) {
    test(`linear ${name}`, async () => run({ backend: 'mine' }));
  }
});

describe('a criterion across backends', () => {
  const WEIGHTS = { numbers: () => [1, 2, 3], 'a tensor': () => tf.tensor1d([1, 2, 3]) };

  test.each(Object.entries(WEIGHTS))('its weight follows a change of backend: %s', async (_, weight) => {
    const { CrossEntropyLoss } = require('tfjs-cross-entropy') as typeof import('tfjs-cross-entropy');
    await tf.setBackend('cpu');
    const source = weight();
    const criterion = new CrossEntropyLoss({ weight: source });
    tf.dispose(source);
    const value = () =>
      criterion
        .forward(
          tf.tensor2d([
            [2, 1, 0],
            [0, 0, 1],
          ]),
          tf.tensor1d([0, 2], 'int32'),
        )
        .dataSync()[0];
    const first = value();
    tf.registerBackend('other', () => new MathBackendCPU());
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    tf.copyRegisteredKernels('cpu', 'other');
    warn.mockRestore();
    await tf.setBackend('other');
    expect(value()).toBe(first);
    await tf.setBackend('cpu');
    tf.removeBackend('other');
    expect(value()).toBe(first);
    criterion.dispose();
  });
});
