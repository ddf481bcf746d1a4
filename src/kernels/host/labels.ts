import type { Values } from './host';

/**
 * Writes the class weight of each row's label into the last column of its record, 0 for an ignored one, and gives
 * their sum. Throws PyTorch's error for a label that is neither a class nor `ignoreIndex`.
 */
export function weighLabels(
  labels: Values,
  weights: Values,
  record: Values,
  classes: number,
  ignoreIndex: number,
): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const t = labels[row];
    if (t === ignoreIndex) {
      record[row * 4 + 3] = 0;
      continue;
    }
    if (t < 0 || t >= classes) {
      throw new RangeError(
        `Target ${t} is out of bounds. Expected class indices from 0 to ${classes - 1}, or ignoreIndex (${ignoreIndex}).`,
      );
    }
    const w = weights.length > 0 ? weights[t] : 1;
    record[row * 4 + 3] = w;
    sum += w;
  }
  return sum;
}
