import * as tf from '@tensorflow/tfjs';
import { examine, goldenCases } from '../../../test/suites/golden';
import type { Deviation } from '../../../test/support/deviation';
import { deviceOf } from '../backends';
import { startBackend } from '../start-backend';
import type { CheckMessage } from './messages';
import { type HalfFloats, halfPrecision, judge, type Subject } from './verdict';

const tell = (message: CheckMessage) => postMessage(message);

/** Runs the cases on one subject, told by the first message; of ten cases all, or one. */
addEventListener('message', async ({ data }: MessageEvent<{ subject: Subject; every: number }>) => {
  const { subject, every } = data;
  const { backend } = subject;
  try {
    await startBackend(backend, subject.halfFloats);
  } catch (error) {
    tell({ type: 'absent', reason: (error as Error).message });
    return;
  }
  const halfFloats = subject.halfFloats ? await probeHalfFloats() : null;
  tell({ type: 'started', device: await deviceOf(backend), halfFloats });
  const start = performance.now();
  for (const test of goldenCases.filter((_, i) => i % every === 0)) {
    let outcome: Deviation[] | Error;
    try {
      outcome = await examine(test, backend, halfFloats ? halfPrecision : undefined);
    } catch (error) {
      outcome = error as Error;
    }
    tell({ type: 'verdict', verdict: judge(test, outcome, halfFloats) });
  }
  tell({ type: 'done', seconds: (performance.now() - start) / 1000 });
});

/** By an op of TensorFlow.js's, of as many elements as it does not compute outside the GPU. */
async function probeHalfFloats(): Promise<HalfFloats> {
  const [x, zeros] = [tf.fill([1024], Number.NEGATIVE_INFINITY), tf.zeros([1024])];
  const sum = tf.add(x, zeros);
  const [value] = await sum.data();
  tf.dispose([x, zeros, sum]);
  return { infinities: value === Number.NEGATIVE_INFINITY };
}
