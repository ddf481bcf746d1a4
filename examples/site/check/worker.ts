import { examine, goldenCases } from '../../../test/suites/golden';
import type { Deviation } from '../../../test/support/deviation';
import { deviceOf } from '../backends';
import { startBackend } from '../start-backend';
import type { CheckMessage } from './messages';
import { HALF_PRECISION, judge, type Subject } from './verdict';

const tell = (message: CheckMessage) => postMessage(message);

/** Runs the cases on one subject, told by the first message; of ten cases all, or one. */
addEventListener('message', async ({ data }: MessageEvent<{ subject: Subject; every: number }>) => {
  const { subject, every } = data;
  const { backend, halfFloats = false } = subject;
  try {
    await startBackend(backend, halfFloats);
  } catch (error) {
    tell({ type: 'absent', reason: (error as Error).message });
    return;
  }
  tell({ type: 'started', device: await deviceOf(backend) });
  const start = performance.now();
  for (const test of goldenCases.filter((_, i) => i % every === 0)) {
    let outcome: Deviation[] | Error;
    try {
      outcome = await examine(test, backend, halfFloats ? HALF_PRECISION : undefined);
    } catch (error) {
      outcome = error as Error;
    }
    tell({ type: 'verdict', verdict: judge(test, outcome, halfFloats) });
  }
  tell({ type: 'done', seconds: (performance.now() - start) / 1000 });
});
