import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import { type Figures, figures, isRight, settle, trainingStep } from './soak';

/** What the soak calls in a page of Chromium. */
const api = {
  async useBackend(name: string): Promise<string> {
    await tf.setBackend(name);
    await tf.ready();
    return tf.getBackend();
  },

  async train(from: number, to: number): Promise<Figures> {
    for (let step = from; step < to; step++) {
      trainingStep(step);
      if (step % 20 === 0) await settle();
    }
    const { memory } = performance as unknown as { memory: { usedJSHeapSize: number } };
    return figures(to, () => memory.usedJSHeapSize);
  },

  isRight,
};

export type SoakPage = typeof api;
Object.assign(globalThis, { api });
