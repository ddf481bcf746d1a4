import { setBackend } from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import { measureShape } from './measure-shape';

/** What the benchmark calls in the page. */
const bench = {
  async open(backend: string): Promise<boolean> {
    setWasmPaths('/');
    return setBackend(backend);
  },

  measureShape,
};

export type PageBench = typeof bench;
Object.assign(globalThis, { bench });
