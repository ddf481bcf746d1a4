import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss } from 'tfjs-cross-entropy';
import { randomBatches } from './batches';
import type { Split } from './data';
import { type Evaluation, evaluate } from './evaluate';
import type { DigitClassifier } from './model';
import type { Options } from './options';
import { startProgress } from './progress';
import type { Random } from './random';
import { toTensors } from './tensors';

const MOMENTUM = 0.9;

/** What is known once an epoch is over. */
export interface Epoch {
  /** Counted from 1. */
  readonly number: number;
  /** The mean of its steps. */
  readonly trainLoss: number;
  readonly heldOut: Evaluation;
}

/** Trains `model` until all epochs are over or `stop` is given. Returns the epochs that were completed. */
export async function train(
  model: DigitClassifier,
  digits: Split,
  options: Options,
  random: Random,
  stop: AbortSignal,
): Promise<Epoch[]> {
  const criterion = new CrossEntropyLoss({ weight: options.classWeights, labelSmoothing: options.labelSmoothing });
  const optimizer = tf.train.momentum(options.learningRate, MOMENTUM);
  const stepsPerEpoch = Math.ceil(digits.train.labels.length / options.batchSize);
  const steps = options.epochs * stepsPerEpoch;
  const progress = startProgress(options.epochs, stepsPerEpoch);
  const epochs: Epoch[] = [];
  let step = 0;
  try {
    while (epochs.length < options.epochs) {
      let trainLoss = 0;
      let stepsOfEpoch = 0;
      for (const batch of randomBatches(digits.train, options.batchSize, random)) {
        optimizer.setLearningRate(options.learningRate * (1 - step++ / steps));
        const { images, labels } = toTensors(batch);
        const loss = optimizer.minimize(() => criterion.forward(model.forward(images), labels) as tf.Scalar, true)!;
        const [value] = await loss.data();
        tf.dispose([images, labels, loss]);
        if (Number.isNaN(value)) throw new Error('The loss is NaN: try a smaller learning rate.');

        trainLoss += (value - trainLoss) / ++stepsOfEpoch; // the mean so far
        progress.step(trainLoss);
        await tf.nextFrame(); // lets Node notice a Ctrl-C
        if (stop.aborted) return epochs;
      }
      const heldOut = await evaluate(model, digits.heldOut, criterion);
      const epoch = { number: epochs.length + 1, trainLoss, heldOut };
      epochs.push(epoch);
      progress.epoch(epoch);
    }
    return epochs;
  } finally {
    progress.stop();
    criterion.dispose();
    optimizer.dispose();
  }
}
