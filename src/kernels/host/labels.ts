import type { Values } from './host';

/**
 * The sum of the class weights of all labels, without ignored ones. Throws PyTorch's error for a label that is neither
 * a class nor `ignoreIndex`.
 */
export function weighLabels(labels: Values, weights: Values | undefined, classes: number, ignoreIndex: number): number {
  let sum = 0;
  let count = 0;
  for (let row = 0; row < labels.length; row++) {
    const t = labels[row];
    if (t === ignoreIndex) continue;
    if (t < 0 || t >= classes) {
      throw new RangeError(
        `Target ${t} is out of bounds. Expected class indices from 0 to ${classes - 1}, or ignoreIndex (${ignoreIndex}).`,
      );
    }
    if (weights) sum += weights[t];
    else count++;
  }
  return weights ? sum : count;
}

/** The class weight of a row's label: 0 for an ignored one. */
export function weightOf(label: number, weights: Values | undefined, ignoreIndex: number): number {
  return label === ignoreIndex ? 0 : weights ? weights[label] : 1;
}
