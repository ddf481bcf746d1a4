import * as tf from '@tensorflow/tfjs';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { compositeKernels } from '../../src/kernels/composite';
import { register } from '../../src/kernels/register';
import { routes } from '../../src/kernels/tensorflow/routes';

/** Where cases are run: in Node, and in a page. */
export const NODE = ['cpu', 'wasm', 'tensorflow', 'tensorflow/native', 'composite'];
export const CHROMIUM = ['webgl', 'webgpu'];
/** WebGPU in a process of Node's own. */
export const DAWN = ['dawn'];

export const backendOf = (place: string): string => place.split('/')[0];

export async function loadBackend(name: string): Promise<void> {
  if (name === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
  if (name.startsWith('tensorflow')) {
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // else it reports on the processor
    await import('@tensorflow/tfjs-node');
  }
  if (name === 'composite') registerComposite();
}

/** Our kernels made of TensorFlow.js's own ops, on its backend in plain JavaScript. */
function registerComposite(): void {
  tf.registerBackend('composite', () => new MathBackendCPU());
  const { warn } = console;
  console.warn = () => {}; // of kernels that are copied
  tf.copyRegisteredKernels('cpu', 'composite');
  for (const name of Object.keys(compositeKernels)) tf.unregisterKernel(name, 'composite');
  register('composite', compositeKernels);
  console.warn = warn;
}

const measured = { ...routes };

/** `tensorflow/native` has TensorFlow's own operations serve all sizes. */
export async function activate(name: string): Promise<void> {
  Object.assign(routes, name === 'tensorflow/native' ? { size: 0, classes: 1 } : measured);
  await tf.setBackend(backendOf(name));
  await tf.ready();
}
