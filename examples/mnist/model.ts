import * as tf from '@tensorflow/tfjs';
import { CLASSES, PIXELS } from './data';
import type { Random } from './random';

const HIDDEN = 512;

/** 784 pixels -> hidden units (512 by default) -> 10 logits, one a digit. */
export class DigitClassifier {
  readonly weight1: tf.Variable<tf.Rank.R2>;
  readonly bias1: tf.Variable<tf.Rank.R1>;
  readonly weight2: tf.Variable<tf.Rank.R2>;
  readonly bias2: tf.Variable<tf.Rank.R1>;

  constructor(random: Random, hidden = HIDDEN) {
    this.weight1 = randomWeight(PIXELS, hidden, random);
    this.bias1 = zeroBias(hidden);
    this.weight2 = randomWeight(hidden, CLASSES, random);
    this.bias2 = zeroBias(CLASSES);
  }

  /** The logits `[N, 10]` of images `[N, 784]`. No softmax: `CrossEntropyLoss` brings its own. */
  forward(images: tf.Tensor2D): tf.Tensor2D {
    const hidden = tf.relu(tf.add(timesWeight(images, this.weight1), this.bias1));
    return tf.add(tf.matMul(hidden, this.weight2), this.bias2);
  }

  get parameters(): tf.Variable[] {
    return [this.weight1, this.bias1, this.weight2, this.bias2];
  }

  /** How many numbers there are to learn. */
  get size(): number {
    return this.parameters.reduce((sum, parameter) => sum + parameter.size, 0);
  }

  dispose(): void {
    tf.dispose(this.parameters);
  }
}

/** Normally distributed, with the variance 2 / inputs that keeps a signal's size through a ReLU (He et al., 2015). */
function randomWeight(inputs: number, outputs: number, random: Random): tf.Variable<tf.Rank.R2> {
  const deviation = Math.sqrt(2 / inputs);
  return tf.tidy(() => tf.variable(tf.randomNormal([inputs, outputs], 0, deviation, 'float32', random())));
}

function zeroBias(outputs: number): tf.Variable<tf.Rank.R1> {
  return tf.tidy(() => tf.variable(tf.zeros([outputs])));
}

/**
 * `images · weight`, with a gradient to the weight only. The gradient of `tf.matMul` multiplies a matrix that it has
 * yet to transpose, which takes the wasm backend ten times as long as transposing first.
 */
function timesWeight(images: tf.Tensor2D, weight: tf.Tensor2D): tf.Tensor2D {
  const product = tf.customGrad((w) => ({
    value: tf.matMul(images, w as tf.Tensor2D),
    gradFunc: (dy) => tf.matMul(tf.transpose(images), dy as tf.Tensor2D),
  }));
  return product(weight) as tf.Tensor2D;
}
