import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import { type SuiteName, suites } from '../suites';
import '../support/leak-check';

/** What the tests call in the page. */
const api = {
  async useBackend(backend: string): Promise<string> {
    setWasmPaths('/');
    await tf.setBackend(backend);
    await tf.ready();
    return tf.getBackend();
  },

  /** Whether the wasm backend is its threaded build. */
  wasmIsShared(): boolean {
    const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
    return wasm.HEAPU8.buffer instanceof SharedArrayBuffer;
  },

  /** Runs one check: `null`, or what went wrong. */
  async run(suite: SuiteName, name: string): Promise<string | null> {
    const backend = tf.getBackend();
    const check = suites[suite](backend).find((candidate) => candidate.name === name);
    if (!check) return `no check "${name}" in the page`;
    try {
      await check.run({ backend });
      return null;
    } catch (error) {
      return (error as Error).stack ?? String(error);
    }
  },
};

export type PageApi = typeof api;
Object.assign(globalThis, { api });
