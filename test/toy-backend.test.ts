import * as tf from '@tensorflow/tfjs';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { crossEntropy } from 'tfjs-cross-entropy';
import { compositeKernels } from '../src/kernels/composite';
import { hostKernels } from '../src/kernels/host';
import type { Host, HostBackend, Values } from '../src/kernels/host/host';
import { javascript } from '../src/kernels/host/javascript';
import { register } from '../src/kernels/register';
import { suites } from './suites';

// A backend added as CONTRIBUTING says, "How to add a backend": TensorFlow.js's own for the other ops, and a host.

/** What we use of the backend. */
interface ToyBackend extends HostBackend {
  readSync(dataId: tf.DataId): Values;
  makeTensorInfo(shape: number[], dtype: 'float32', values: Values): tf.TensorInfo;
}

let calls = 0;

const toy: Host<ToyBackend> = (backend, inputs, shapes, compute) => {
  calls++;
  const outputs = shapes.map((shape) => new Float32Array(tf.util.sizeFromShape([...shape])));
  const values = inputs.map(({ dataId }) => backend.readSync(dataId));
  compute(javascript, values, outputs);
  return outputs.map((values, i) => backend.makeTensorInfo([...shapes[i]], 'float32', values));
};

describe('a toy backend', () => {
  beforeAll(async () => {
    tf.registerBackend('toy', () => new MathBackendCPU());
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    tf.copyRegisteredKernels('cpu', 'toy');
    warn.mockRestore();
    for (const kernelName of Object.keys(compositeKernels)) tf.unregisterKernel(kernelName, 'toy');
    const { SoftmaxDim, SoftmaxDimGrad } = compositeKernels; // say that it has no kernels for these
    register('toy', { ...hostKernels(toy), SoftmaxDim, SoftmaxDimGrad });
    expect(await tf.setBackend('toy')).toBe(true);
  });

  afterAll(async () => {
    await tf.setBackend('cpu');
    tf.removeBackend('toy');
  });

  test('its kernels serve', () => {
    const before = calls;
    expect(crossEntropy(tf.tensor2d([[2, 1, 0]]), tf.tensor1d([0], 'int32')).dataSync()[0]).toBeCloseTo(0.40761, 4);
    expect(calls).toBe(before + 1);
  });

  for (const { name, run } of suites.golden('cpu')) test(name, async () => run({ backend: 'cpu' }));
});
