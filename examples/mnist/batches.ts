import { type Digits, PIXELS, SIDE } from './data';
import { type Random, shuffledIndices } from './random';

/** All of `digits` once, in random order and in batches, each image moved at random by at most a pixel each way. */
export function* randomBatches(digits: Digits, batchSize: number, random: Random): Generator<Digits> {
  const order = shuffledIndices(digits.labels.length, random);
  for (let start = 0; start < order.length; start += batchSize) {
    const chosen = order.subarray(start, start + batchSize);
    const images = new Float32Array(chosen.length * PIXELS);
    chosen.forEach((index, i) => {
      const image = digits.images.subarray(index * PIXELS, (index + 1) * PIXELS);
      copyMoved(image, images.subarray(i * PIXELS, (i + 1) * PIXELS), randomStep(random), randomStep(random));
    });
    yield { images, labels: Int32Array.from(chosen, (index) => digits.labels[index]) };
  }
}

/** -1, 0 or 1. */
function randomStep(random: Random): number {
  return Math.floor(random() * 3) - 1;
}

/** Copies `image` into the blank `target`, `right` and `down` pixels off. What leaves the frame is lost. */
function copyMoved(image: Float32Array, target: Float32Array, right: number, down: number): void {
  for (let row = Math.max(0, -down); row < Math.min(SIDE, SIDE - down); row++) {
    const line = image.subarray(row * SIDE + Math.max(0, -right), (row + 1) * SIDE - Math.max(0, right));
    target.set(line, (row + down) * SIDE + Math.max(0, right));
  }
}
