import { setBackend } from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import { type JaxDevice, jaxContender } from './jax';
import { createPlace } from './place';
import { tfjsContenders } from './tfjs';

const place = createPlace(async (backend) => {
  const [peer, device] = backend.split(' on ');
  if (peer === 'jax-js') return async (problem) => [await jaxContender(problem, device as JaxDevice)];
  setWasmPaths('/');
  if (!(await setBackend(backend))) throw new Error(`the ${backend} backend does not start`);
  return tfjsContenders;
});

Object.assign(globalThis, { place });
