import * as tf from '@tensorflow/tfjs';
import type { Options } from './options';

/** How to load each backend, the fastest first. */
const LOADERS: Record<string, () => Promise<unknown>> = {
  tensorflow: () => {
    // TensorFlow would report on the processor otherwise. So small a network does not miss oneDNN.
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
    process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
    return import('@tensorflow/tfjs-node'); // fails where its native library is not installed
  },
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  cpu: async () => {}, // plain JavaScript; comes with TensorFlow.js
};

/** Activates the backend that was asked for, or the fastest one that is there, and returns its name. */
export async function startBackend(choice: Options['backend']): Promise<string> {
  tf.enableProdMode(); // without advice to install tfjs-node: that has been tried
  if (choice !== 'auto') return start(choice === 'native' ? 'tensorflow' : choice);
  for (const name of Object.keys(LOADERS)) {
    try {
      return await start(name);
    } catch {
      // Not there, or not on this machine: the next one.
    }
  }
  throw new Error('No backend starts.');
}

async function start(name: string): Promise<string> {
  try {
    await LOADERS[name]();
    if (await tf.setBackend(name)) return name;
  } catch (error) {
    const [reason] = String((error as Error).message).split('\n');
    throw new Error(`The ${name} backend is not available: ${reason}`);
  }
  throw new Error(`The ${name} backend does not start.`);
}
