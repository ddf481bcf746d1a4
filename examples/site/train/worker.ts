import { randomBatches } from '../../mnist/batches';
import type { Digits, Split } from '../../mnist/data';
import { type Random, seededRandom } from '../../mnist/random';
import type { Backend } from '../backends';
import { startBackend } from '../start-backend';
import { digitAt, unpackDigits } from './digits';
import { Learner } from './learner';
import type { LossName, Progress, TrainMessage, TrainRequest } from './messages';

const BATCH = 64;
/** Steps from report to report, and from one look at the held-out digits to the next. */
const REPORT = 5;
const LOOK = 50;
/** Held-out digits to look at. */
const LOOKED_AT = 500;
/** Milliseconds after which a report is due even before `REPORT` steps. */
const PATIENCE = 400;

const tell = (message: TrainMessage) => postMessage(message);

let digits: Split;
let lookedAt: Digits;
let learners: Learner[] = [];
let batches: Generator<Digits>;
let random: Random;
let training = false;
let step = 0;
let losses: Partial<Record<LossName, number[]>> = {};
let reported = 0;

function reset(names: readonly LossName[]): void {
  for (const learner of learners) learner.dispose();
  learners = names.map((name) => new Learner(name));
  random = seededRandom(7);
  batches = randomBatches(digits.train, BATCH, random);
  [training, step, losses] = [false, 0, {}];
}

/** A step of each learner, on the same batch, in turns: who begins changes. */
async function trainStep(): Promise<void> {
  let next = batches.next();
  if (next.done) {
    batches = randomBatches(digits.train, BATCH, random);
    next = batches.next();
  }
  for (const learner of step % 2 === 0 ? learners : [...learners].reverse()) {
    const loss = await learner.step(next.value);
    losses[learner.loss] = [...(losses[learner.loss] ?? []), loss];
  }
  step++;
  if (step % REPORT === 0 || performance.now() - reported > PATIENCE) await report();
}

async function report(): Promise<void> {
  const each = <T>(value: (learner: Learner) => T | undefined) =>
    Object.fromEntries(learners.map((learner) => [learner.loss, value(learner)]));
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const accuracies: Progress['accuracies'] = {};
  if (step % LOOK === 0 || step === REPORT) {
    for (const learner of learners) accuracies[learner.loss] = await learner.accuracy(lookedAt);
  }
  tell({
    type: 'progress',
    progress: {
      step,
      losses: each(({ loss }) => losses[loss] && mean(losses[loss])),
      accuracies,
      times: each(({ time }) => time),
      peaks: each(({ peak }) => peak),
    },
  });
  losses = {};
  reported = performance.now();
}

async function useBackend(backend: Backend): Promise<void> {
  if (learners.length === 0) {
    await startBackend(backend);
    digits = await unpackDigits();
    lookedAt = spread(digits.heldOut, LOOKED_AT);
    reset(['ours']);
  } else {
    await moveAll(learners, () => startBackend(backend));
  }
}

/** All learners leave the old backend before the new one starts. */
async function moveAll([first, ...others]: readonly Learner[], activate: () => Promise<void>): Promise<void> {
  await first.move(others.length > 0 ? () => moveAll(others, activate) : activate);
}

/** Some of the digits, from all over. */
function spread(all: Digits, count: number): Digits {
  const chosen = Array.from({ length: count }, (_, i) => digitAt(all, Math.floor((i * all.labels.length) / count)));
  const images = new Float32Array(chosen.length * chosen[0].image.length);
  chosen.forEach(({ image }, i) => {
    images.set(image, i * image.length);
  });
  return { images, labels: Int32Array.from(chosen, ({ label }) => label) };
}

async function handle(request: TrainRequest): Promise<void> {
  if (request.type === 'backend') {
    await useBackend(request.backend);
    tell({ type: 'ready' });
  } else if (request.type === 'train') training = true;
  else if (request.type === 'pause') {
    training = false;
    if (step > 0) await report(); // of what came since the last one
  } else if (request.type === 'reset') {
    reset(request.sideBySide ? ['ours', 'theirs'] : ['ours']);
    tell({ type: 'ready' });
  } else if (request.type === 'read') {
    tell({ type: 'reading', probabilities: await learners[0].read(request.image) });
  } else {
    tell({ type: 'sample', ...digitAt(digits.heldOut, Math.floor(Math.random() * digits.heldOut.labels.length)) });
  }
}

// Requests are answered between steps, in order. What comes from a channel of its own lets those in that wait.
const requests: TrainRequest[] = [];
const turn = new MessageChannel();
let busy = false;
turn.port1.onmessage = async () => {
  if (busy) return;
  busy = true;
  try {
    const request = requests.shift();
    if (request) await handle(request);
    else if (training) await trainStep();
  } catch (error) {
    training = false;
    tell({ type: 'failed', reason: (error as Error).message });
  }
  busy = false;
  if (training || requests.length > 0) turn.port2.postMessage(null);
};
addEventListener('message', ({ data }: MessageEvent<TrainRequest>) => {
  requests.push(data);
  turn.port2.postMessage(null);
});
