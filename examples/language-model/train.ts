import * as tf from '@tensorflow/tfjs';
import type { Random } from '../mnist/random';
import type { LanguageModel } from './model';
import type { Options } from './options';
import { startProgress } from './progress';
import { randomSequences } from './text';

/** During the training, beside the one before it. */
const EVALUATIONS = 12;

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

/** Trains `model` on `text` until steps or minutes are over or `stop` is given, and evaluates it on the way. */
export async function train(
  model: LanguageModel,
  text: Int32Array,
  heldOut: tf.Tensor2D,
  options: Options,
  random: Random,
  stop: AbortSignal,
): Promise<Point[]> {
  const { steps, minutes, batchSize, context, learningRate } = options;
  const optimizer = new Adam(learningRate, 0.9, 0.99, EPSILON);
  const evaluate = async () => Math.exp(await read(tf.tidy(() => model.loss(heldOut))));
  const start = performance.now();
  let step = 0;
  /** The share of the training that is over. */
  const done = () => Math.min(1, Math.max(step / steps, (performance.now() - start) / (60_000 * minutes)));

  const progress = startProgress();
  try {
    const points: Point[] = [{ step, heldOut: await evaluate() }];
    while (done() < 1 && !stop.aborted) {
      progress.evaluation(points[points.length - 1]);
      const next = Math.floor(EVALUATIONS * done() + 1) / EVALUATIONS;
      const losses: number[] = [];
      while (done() < next && !stop.aborted) {
        optimizer.setLearningRate(learningRate * (1 - done()));
        const tokens = randomSequences(text, batchSize, context, random);
        const loss = await read(optimizer.minimize(() => model.loss(tokens), true)!);
        tokens.dispose();
        if (Number.isNaN(loss)) throw new Error('The loss is NaN: try a smaller learning rate.');

        losses.push(loss);
        progress.step(done(), ++step, Math.exp(loss));
        await tf.nextFrame(); // lets Node notice a Ctrl-C
      }
      if (losses.length === 0) break;
      const mean = losses.reduce((sum, loss) => sum + loss) / losses.length;
      points.push({ step, train: Math.exp(mean), heldOut: await evaluate() });
    }
    return points;
  } finally {
    progress.stop();
    optimizer.dispose();
  }
}

/** The bytes of tensors that `compute` has at most, its result included, beside those that are there already. */
export async function peakBytes(compute: () => tf.TensorContainer): Promise<number> {
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(() => tf.dispose(compute()));
  return peakBytes - before;
}

/** The number that a scalar holds, which is freed. */
async function read(scalar: tf.Scalar): Promise<number> {
  const [value] = await scalar.data();
  scalar.dispose();
  return value;
}
