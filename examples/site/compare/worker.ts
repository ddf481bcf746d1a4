import { OURS_UPSTREAM } from '../../../bench/contender';
import { type Budget, measure } from '../../../bench/measure';
import { makeProblem } from '../../../bench/problem';
import { tfjsContenders } from '../../../bench/tfjs';
import { deviceOf } from '../backends';
import { startBackend } from '../start-backend';
import type { CompareMessage, Request } from './messages';

/** A figure in seconds, not in minutes as `npm run bench` takes. */
const BUDGET: Budget = { time: 500, warmUp: 250, limit: 20_000 };

const tell = (message: CompareMessage) => postMessage(message);

/** Times all contenders on one backend with one shape, as the benchmark does. */
addEventListener('message', async ({ data: { backend, shape, mode } }: MessageEvent<Request>) => {
  try {
    await startBackend(backend);
    let count = 0;
    const contenders = tfjsContenders(makeProblem(shape))
      .filter(({ name }) => name !== OURS_UPSTREAM)
      .map((contender) => ({
        ...contender,
        backend,
        modes: [mode],
        async time(...args: Parameters<typeof contender.time>) {
          const time = await contender.time(...args);
          tell({ type: 'sample', count: ++count });
          return time;
        },
      }));
    tell({ type: 'results', results: await measure(contenders, BUDGET), device: await deviceOf(backend) });
  } catch (error) {
    tell({ type: 'failed', reason: (error as Error).message });
  }
});
