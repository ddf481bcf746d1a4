import * as tf from '@tensorflow/tfjs';
import { type Digits, PIXELS } from './data';

/** Images `[N, 784]` and labels `[N]`, as the model and the loss take them. */
export function toTensors({ images, labels }: Digits): { images: tf.Tensor2D; labels: tf.Tensor1D } {
  return { images: tf.tensor2d(images, [labels.length, PIXELS]), labels: tf.tensor1d(labels, 'int32') };
}
