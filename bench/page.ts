import { setBackend } from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import { JAX } from './contender';
import { type JaxDevice, jaxContender } from './jax';
import { createPlace } from './place';
import { tfjsContenders } from './tfjs';

const place = createPlace(async (backend, peer) => {
  if (peer === JAX) return async (problem) => [await jaxContender(problem, backend as JaxDevice)];
  setWasmPaths('/');
  if (!(await setBackend(backend))) throw new Error(`the ${backend} backend does not start`);
  return tfjsContenders;
});

Object.assign(globalThis, { place });
