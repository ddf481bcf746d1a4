import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import '@tensorflow/tfjs-backend-webgpu';
import { type Backend, whyAbsent } from './backends';

// Of this site, so that it works without a network.
setWasmPaths({
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
});

/** Activates a backend in a worker. Half floats are what WebGL has on many phones; they can be forced on any device. */
export async function startBackend(backend: Backend, halfFloats = false): Promise<void> {
  const reason = await whyAbsent(backend);
  if (reason) throw new Error(reason);
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false); // its threads start from blob: URLs, which the site's policy forbids
  if (halfFloats) tf.env().set('WEBGL_FORCE_F16_TEXTURES', true);
  if (!(await tf.setBackend(backend))) throw new Error('noStart');
  await tf.ready();
}
