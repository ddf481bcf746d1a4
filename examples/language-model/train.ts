import * as tf from '@tensorflow/tfjs';
import type { Random } from '../mnist/random';
import type { LanguageModel } from './model';
import type { Options } from './options';
import { startProgress } from './progress';
import { type Book, evenStretches, randomStretches } from './text';

/** The held-out chapters are looked at so many times, beside the first. */
const LOOKS = 12;

/** Adam would move the embeddings of rare tokens, whose gradients are tiny, as far as all others without it. */
const EPSILON = 1e-5;

/** What is known at a point of the training: perplexities, the exponentials of mean losses. */
export interface Point {
  /** Steps so far. */
  readonly step: number;
  /** Of the steps since the point before; `undefined` at the start. */
  readonly train?: number;
  readonly heldOut: number;
}

/** TensorFlow.js's Adam, whose learning rate cannot be changed otherwise. */
class Adam extends tf.AdamOptimizer {
  setLearningRate(learningRate: number): void {
    this.learningRate = learningRate;
  }
}

/** Trains `model` until steps or minutes are over or `stop` is given, and looks at the held-out chapters on the way. */
export async function train(
  model: LanguageModel,
  book: Book,
  options: Options,
  random: Random,
  stop: AbortSignal,
): Promise<Point[]> {
  const { steps, minutes, batchSize, context, learningRate } = options;
  const optimizer = new Adam(learningRate, 0.9, 0.99, EPSILON);
  const heldOut = tf.tensor2d(
    evenStretches(book.heldOut, options.heldOut, context),
    [options.heldOut, context],
    'int32',
  );
  const look = async () => Math.exp(await read(tf.tidy(() => model.loss(heldOut))));
  const progress = startProgress();
  const start = performance.now();
  let step = 0;
  /** The share of the training that is over. */
  const done = () => Math.min(1, Math.max(step / steps, (performance.now() - start) / (60_000 * minutes)));

  const points: Point[] = [{ step, heldOut: await look() }];
  try {
    while (done() < 1 && !stop.aborted) {
      progress.look(points[points.length - 1]);
      const nextLook = Math.floor(LOOKS * done() + 1) / LOOKS;
      let [losses, first] = [0, step];
      while (done() < nextLook && !stop.aborted) {
        optimizer.setLearningRate(learningRate * (1 - done()));
        const tokens = tf.tensor2d(
          randomStretches(book.train, batchSize, context, random),
          [batchSize, context],
          'int32',
        );
        const loss = await read(optimizer.minimize(() => model.loss(tokens), true)!);
        tokens.dispose();
        if (Number.isNaN(loss)) throw new Error('The loss is NaN: try a smaller learning rate.');
        losses += loss;
        step++;
        progress.step(done(), step, Math.exp(loss));
        await tf.nextFrame(); // lets Node notice a Ctrl-C
      }
      if (step > first) points.push({ step, train: Math.exp(losses / (step - first)), heldOut: await look() });
    }
    return points;
  } finally {
    progress.stop();
    optimizer.dispose();
    heldOut.dispose();
  }
}

/** Bytes that loss and gradients of a step take at most, beside what is there already. */
export async function peakBytes(
  model: LanguageModel,
  { train }: Book,
  { batchSize, context }: Options,
): Promise<number> {
  const tokens = tf.tensor2d(evenStretches(train, batchSize, context), [batchSize, context], 'int32');
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(() => {
    const { value, grads } = tf.variableGrads(() => model.loss(tokens));
    tf.dispose([value, grads]);
  });
  tokens.dispose();
  return peakBytes - before;
}

/** The number that a scalar holds, which is freed. */
async function read(scalar: tf.Scalar): Promise<number> {
  const [value] = await scalar.data();
  scalar.dispose();
  return value;
}
