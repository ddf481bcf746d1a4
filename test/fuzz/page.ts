import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import { judge, placeOf, type Verdict } from './judge';
import { fromJSON } from './problem';

/** What the fuzz calls in a page of Chromium, or in a process on Dawn. */
export const api = {
  async useBackend(name: string): Promise<string> {
    await tf.setBackend(name);
    await tf.ready();
    return tf.getBackend();
  },

  async judge(cases: string[]): Promise<Verdict[]> {
    const verdicts: Verdict[] = [];
    for (const text of cases) verdicts.push(await judge(fromJSON(text), placeOf(tf.getBackend())));
    return verdicts;
  },
};

export type FuzzPage = typeof api;
Object.assign(globalThis, { api });
