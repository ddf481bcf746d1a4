import type { Values } from './host';
import type { LossRows } from './row-kernels';

/**
 * How a row's loss comes about, and its gradient. With `g[c]` the coefficients of the classes (below), `max` the row's
 * maximum and `sum = sum over c of exp(x[c] - max)`,
 *
 *     -log p[c] = (max - x[c]) + log(sum)
 *     loss      = sum over c of g[c] * -log p[c] = product + mass * log(sum),
 *     product   = sum over c of g[c] * (max - x[c]),    mass = sum over c of g[c].
 *
 * Since d(-log p[c]) / dx[j] = p[j] - [c == j], the gradient for an upstream gradient `dy` is, with `k = dy / divisor`,
 *
 *     k * (mass * p[c] - g[c]) = scale * exp(x[c] - max) - k * g[c],    scale = k * mass / sum.
 *
 * So `max` and `mass / sum` are all that the gradient needs to know of a row. A term whose coefficient is 0 is 0, be it
 * 0 * Infinity or 0 * NaN.
 */
export interface Coefficients {
  /** What a label's class has before all others, times its class weight: `1 - labelSmoothing`. */
  readonly labelShare: number;
  /** Whether all classes have coefficients, `(q * probabilityShare + uniformShare) * w`, `q` being the probability. */
  readonly hasClassCoefficients: boolean;
  readonly probabilityShare: number;
  /** `labelSmoothing / classes`. */
  readonly uniformShare: number;
}

export function coefficientsOf({ labels, labelSmoothing, view }: LossRows): Coefficients {
  return {
    labelShare: 1 - labelSmoothing,
    hasClassCoefficients: !labels || labelSmoothing > 0,
    probabilityShare: 1 - labelSmoothing,
    uniformShare: labelSmoothing / view.classes,
  };
}

/** What has been found out about a row. */
interface RowSums {
  readonly max: number;
  readonly sum: number;
  /** Of the coefficients that all classes have, and whether any of them is not 0. */
  readonly product: number;
  readonly mass: number;
  readonly isUsed: boolean;
}

/** Its label: what that counts, `labelShare` times its class weight, and the logit there. */
interface RowLabel {
  readonly coefficient: number;
  readonly x: number;
  readonly weight: number;
}

/** A row's loss in its parts, and the rest of its record. */
export interface FinishedRow {
  readonly max: number;
  readonly massPerSum: number;
  readonly likelihood: number;
  readonly smoothing: number;
  readonly weight: number;
  /** Whether the label has the row's largest logit, in a row that has a softmax. */
  readonly isCorrect: boolean;
}

export const IGNORED: FinishedRow = { max: 0, massPerSum: 0, likelihood: 0, smoothing: 0, weight: 0, isCorrect: false };

export function finishRow(row: RowSums, label?: RowLabel): FinishedRow {
  // Else the row holds NaN or Infinity, or nothing but -Infinity, and has no softmax.
  const isValid = row.sum > 0;
  const max = isValid ? row.max : 0;
  const sum = isValid ? row.sum : Number.NaN;
  const logSum = Math.log(sum);
  // Not by whether the mass is 0: coefficients may cancel, and still have a part in a row without a softmax.
  const ofClasses = row.isUsed ? row.product + row.mass * logSum : 0;
  if (!label) {
    const massPerSum = row.isUsed ? row.mass / sum : 0;
    return { ...IGNORED, max, massPerSum, likelihood: ofClasses, weight: 1 };
  }
  const { coefficient, x, weight } = label;
  // (max - x) first: exact for a row whose loss is almost 0.
  const likelihood = coefficient === 0 ? 0 : coefficient * (max - x + logSum);
  const isUsed = row.isUsed || coefficient !== 0;
  const massPerSum = isUsed ? (row.mass + coefficient) / sum : 0;
  return { max, massPerSum, likelihood, smoothing: ofClasses, weight, isCorrect: isValid && x === max };
}

export function storeRecord(
  record: Values,
  row: number,
  { max, massPerSum, likelihood, smoothing, weight }: FinishedRow,
) {
  const at = 4 * row;
  record[at] = max;
  record[at + 1] = massPerSum;
  record[at + 2] = likelihood + smoothing;
  record[at + 3] = weight;
}
