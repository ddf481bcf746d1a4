import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import { judgeCalls, type Outcome, shrinkCall } from './hostile';
import { judge, placeOf, type Verdict } from './judge';
import { fromJSON } from './problem';

/** What looks at hostile calls, by the seed that they are drawn from. */
export interface HostileApi {
  judgeCalls(seed: number, count: number): Promise<(Outcome & { name: string })[]>;
  shrinkCall(seed: number, index: number): Promise<{ fault: string; call: string }>;
}

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

  judgeCalls: (seed: number, count: number) => judgeCalls(seed, count, placeOf(tf.getBackend())),
  shrinkCall: (seed: number, index: number) => shrinkCall(seed, index, placeOf(tf.getBackend())),
};

export type FuzzPage = typeof api & HostileApi;
Object.assign(globalThis, { api });
