import { setBackend } from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import { createPlace } from './place';
import { tfjsContenders } from './tfjs';

const place = createPlace(async (backend) => {
  setWasmPaths('/');
  if (!(await setBackend(backend))) throw new Error(`the ${backend} backend does not start`);
  return tfjsContenders;
});

Object.assign(globalThis, { place });
