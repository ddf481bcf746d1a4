import { PIXELS, SIDE } from '../../mnist/data';

/** MNIST's digits fit a box of this side, within images of `SIDE`. */
const BOX = 20;

/**
 * What somebody drew, as MNIST has its digits: fitted into a box of 20 pixels, with its center of mass in the center of
 * the image. `ink` is a square image with pixels from 0 to 1. Gives `null` where nothing is drawn.
 */
export function toMnist(ink: Float32Array): Float32Array | null {
  const side = Math.sqrt(ink.length);
  let [left, right, top, bottom] = [side, -1, side, -1];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (ink[y * side + x] < 0.1) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  if (right < 0) return null;

  const [width, height] = [right - left + 1, bottom - top + 1];
  const scale = BOX / Math.max(width, height);
  const [columns, rows] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const box = new Float32Array(columns * rows);
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      // The mean of the part of the drawing that the pixel stands for.
      const [x0, x1] = range(left, width, column, columns);
      const [y0, y1] = range(top, height, row, rows);
      let sum = 0;
      for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) sum += ink[y * side + x];
      const value = sum / ((x1 - x0) * (y1 - y0));
      box[row * columns + column] = value;
      mass += value;
      sumX += value * (column + 0.5);
      sumY += value * (row + 0.5);
    }
  }
  const image = new Float32Array(PIXELS);
  const [moveX, moveY] = [Math.round(SIDE / 2 - sumX / mass), Math.round(SIDE / 2 - sumY / mass)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = [column + moveX, row + moveY];
      if (x >= 0 && x < SIDE && y >= 0 && y < SIDE) image[y * SIDE + x] = box[row * columns + column];
    }
  }
  return image;
}

/** Of `length` pixels from `start`, those that the `index`-th of `count` parts covers: one at least. */
function range(start: number, length: number, index: number, count: number): [number, number] {
  const first = start + Math.floor((index * length) / count);
  return [first, Math.max(first + 1, start + Math.floor(((index + 1) * length) / count))];
}
