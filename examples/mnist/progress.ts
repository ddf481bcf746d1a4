import { SingleBar } from 'cli-progress';
import { percent } from './report';
import type { Epoch } from './train';

/** Shows how the training goes. */
export interface Progress {
  /** A step is over; `loss` is the mean of the epoch so far. */
  step(loss: number): void;
  /** An epoch is over. */
  epoch(epoch: Epoch): void;
  stop(): void;
}

/** A bar on a terminal, and a line per epoch in a file or a pipe. */
export function startProgress(epochs: number, stepsPerEpoch: number): Progress {
  return process.stdout.isTTY ? bar(epochs, stepsPerEpoch) : lines(epochs);
}

function bar(epochs: number, stepsPerEpoch: number): Progress {
  const bar = new SingleBar({
    format: 'epoch {epoch}/{epochs} [{bar}] loss {loss}, accuracy {accuracy}, {eta_formatted} left',
    stream: process.stdout,
    barsize: 24,
    etaBuffer: 200,
    hideCursor: true,
    gracefulExit: true, // Ctrl-C gives the cursor back
  });
  bar.start(epochs * stepsPerEpoch, 0, { epoch: 1, epochs, loss: '-', accuracy: '-' });
  return {
    step: (loss) => bar.increment({ loss: loss.toFixed(4) }),
    epoch: ({ number, heldOut }) =>
      bar.update({ epoch: Math.min(number + 1, epochs), accuracy: percent(heldOut.accuracy) }),
    stop: () => bar.stop(),
  };
}

function lines(epochs: number): Progress {
  return {
    step() {},
    epoch({ number, trainLoss, heldOut }) {
      const padded = String(number).padStart(String(epochs).length);
      console.log(
        `epoch ${padded}/${epochs}  loss ${trainLoss.toFixed(4)}  ` +
          `held-out loss ${heldOut.loss.toFixed(4)}, accuracy ${percent(heldOut.accuracy)}`,
      );
    },
    stop() {},
  };
}
