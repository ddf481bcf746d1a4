import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, softmax } from 'tfjs-cross-entropy';
import { type Figure, figure, MIN_SAMPLES } from '../../../bench/measure';
import { isGpu, meterPrograms } from '../../../bench/meter';
import { CLASSES, type Digits, PIXELS } from '../../mnist/data';
import { evaluate } from '../../mnist/evaluate';
import { DigitClassifier } from '../../mnist/model';
import { seededRandom } from '../../mnist/random';
import { toTensors } from '../../mnist/tensors';
import type { LossName } from './messages';

const HIDDEN = 128;
const LEARNING_RATE = 0.05;
const MOMENTUM = 0.9;
/** The first steps compile; of the others the last ones are timed. */
const WARM_UP = 5;
const TIMED = 50;

/** The same loss, by this package and by TensorFlow.js. */
const LOSSES: Record<LossName, (logits: tf.Tensor2D, labels: tf.Tensor1D) => tf.Scalar> = {
  ours: (logits, labels) => criterion.forward(logits, labels) as tf.Scalar,
  theirs: (logits, labels) =>
    tf.losses.softmaxCrossEntropy(tf.cast(tf.oneHot(labels, CLASSES), 'float32') as tf.Tensor2D, logits) as tf.Scalar,
};
const criterion = new CrossEntropyLoss();

/** A model in training, on the active backend. */
export class Learner {
  private model: DigitClassifier;
  private optimizer = tf.train.momentum(LEARNING_RATE, MOMENTUM);
  private times: number[] = [];
  private steps = 0;
  peak: { bytes: number; onGpu: boolean } | undefined;

  /** All learners start from the same weights. */
  constructor(readonly loss: LossName) {
    this.model = new DigitClassifier(seededRandom(1), HIDDEN);
  }

  /** Learns from a batch; gives the loss. */
  async step(batch: Digits): Promise<number> {
    const { images, labels } = toTensors(batch);
    const minimize = () =>
      this.optimizer.minimize(
        () => LOSSES[this.loss](this.model.forward(images), labels),
        true,
        this.model.parameters,
      )!;
    const start = performance.now();
    const loss = this.steps === WARM_UP ? await this.meter(minimize) : minimize();
    const [value] = await loss.data();
    if (this.steps++ > WARM_UP) this.times = [...this.times, performance.now() - start].slice(-TIMED);
    tf.dispose([images, labels, loss]);
    if (Number.isNaN(value)) throw new Error('the loss is NaN');
    return value;
  }

  /** A step whose memory is measured, and not its time. */
  private async meter(minimize: () => tf.Scalar): Promise<tf.Scalar> {
    const backend = tf.backend();
    if (isGpu(backend)) {
      let loss!: tf.Scalar;
      const { peakGpuBytes } = meterPrograms(backend, () => {
        loss = minimize();
      });
      this.peak = { bytes: peakGpuBytes, onGpu: true };
      return loss;
    }
    const { numBytes } = tf.memory();
    const { peakBytes, result } = await tf.profile(minimize as unknown as () => tf.TensorContainer);
    this.peak = { bytes: peakBytes - numBytes, onGpu: false };
    return result as tf.Scalar;
  }

  get time(): Figure | undefined {
    return this.times.length >= MIN_SAMPLES ? figure(this.times) : undefined;
  }

  async accuracy(digits: Digits): Promise<number> {
    return (await evaluate(this.model, digits, criterion)).accuracy;
  }

  /** The probabilities of the ten digits. */
  async read(image: Float32Array): Promise<Float32Array> {
    const probabilities = tf.tidy(() => softmax(this.model.forward(tf.tensor2d(image, [1, PIXELS])), 1));
    const data = (await probabilities.data()) as Float32Array;
    probabilities.dispose();
    return data.slice();
  }

  /** Takes weights and momentum along to the backend that `activate` starts. */
  async move(activate: () => Promise<void>): Promise<void> {
    const weights = await Promise.all(this.model.parameters.map((parameter) => parameter.data()));
    const [iterations, ...momentum] = await this.optimizer.getWeights();
    const kept = await Promise.all(
      [iterations, ...momentum].map(async ({ name, tensor }) => ({
        name,
        shape: tensor.shape,
        dtype: tensor.dtype,
        data: await tensor.data(),
      })),
    );
    iterations.tensor.dispose();
    this.dispose();
    await activate();
    this.model = new DigitClassifier(seededRandom(1), HIDDEN);
    this.model.parameters.forEach((parameter, i) => {
      const tensor = tf.tensor(weights[i], parameter.shape);
      parameter.assign(tensor);
      tensor.dispose();
    });
    this.optimizer = tf.train.momentum(LEARNING_RATE, MOMENTUM);
    const state = kept.map(({ name, shape, dtype, data }) => ({ name, tensor: tf.tensor(data, shape, dtype) }));
    await this.optimizer.setWeights(state);
    tf.dispose(state.map(({ tensor }) => tensor));
    [this.times, this.steps, this.peak] = [[], 0, undefined];
  }

  dispose(): void {
    this.model.dispose();
    this.optimizer.dispose();
  }
}
