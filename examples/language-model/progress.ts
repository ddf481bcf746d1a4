import { SingleBar } from 'cli-progress';
import type { Point } from './train';

/** Shows how the training goes. */
export interface Progress {
  /** A step is over; `done` is the share of the training that is. */
  step(done: number, step: number, perplexity: number): void;
  /** An evaluation is over. */
  evaluation(point: Point): void;
  stop(): void;
}

/** A bar on a terminal, and a line for each evaluation in a file or a pipe. */
export function startProgress(): Progress {
  return process.stdout.isTTY ? bar() : lines();
}

function bar(): Progress {
  const bar = new SingleBar({
    format: 'step {step} [{bar}] {percentage}%, perplexity {perplexity}, held-out {heldOut}, {eta_formatted} left',
    stream: process.stdout,
    barsize: 24,
    hideCursor: true,
    gracefulExit: true, // Ctrl-C gives the cursor back
  });
  bar.start(1000, 0, { step: 0, perplexity: '-', heldOut: '-' });
  return {
    step: (done, step, perplexity) => bar.update(Math.round(1000 * done), { step, perplexity: perplexity.toFixed(0) }),
    evaluation: ({ heldOut }) => bar.update({ heldOut: heldOut.toFixed(0) }),
    stop: () => bar.stop(),
  };
}

function lines(): Progress {
  return {
    step() {},
    evaluation({ step, train, heldOut }) {
      const ofTraining = train ? `perplexity ${train.toFixed(0)}, ` : '';
      console.log(`step ${String(step).padStart(4)}: ${ofTraining}held-out ${heldOut.toFixed(0)}`);
    },
    stop() {},
  };
}
