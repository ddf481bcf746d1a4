import * as tf from '@tensorflow/tfjs';
import { type SuiteName, suites } from '../suites';
import './leak-check';

/** What the tests call in a page, or in a process of its own. */
export const api = {
  async useBackend(backend: string): Promise<string> {
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
    if (!check) return `no check "${name}" here`;
    try {
      await check.run({ backend });
      return null;
    } catch (error) {
      return (error as Error).stack ?? String(error);
    }
  },
};

export type Api = typeof api;
