import type { ClassView } from '../../contract/class-view';
import type { Values } from './host';

/** The rows of a loss, as arrays in the class view, and how they count: `record.ts` says what for. */
export interface LossRows {
  readonly view: ClassView;
  readonly x: Values;
  /** Class indices, all of which are classes or `ignoreIndex`; or else probabilities. */
  readonly labels?: Values;
  readonly ignoreIndex: number;
  readonly probabilities?: Values;
  /** Class weights. */
  readonly weights?: Values;
  readonly labelSmoothing: number;
  /** What gradients are divided by: the loss's divisor over the upstream gradient that they are made for. */
  readonly gradientDivisor: number;
  /** Four numbers a row, see `contract/kernels.ts`: made with the loss unless nobody wants it, read for the gradient. */
  readonly record?: Values;
  /** 1 for each row whose label has the row's largest logit, else 0: made with the loss of labels if it is wanted. */
  readonly correct?: Values;
}

/** What the losses of the rows add up to: their likelihoods' parts, and the smoothings'. */
export interface Totals {
  readonly likelihoods: number;
  readonly smoothings: number;
}

/** What is computed row by row. `javascript.ts` is the definition, `simd/row-kernels.ts` the fast one. */
export interface RowKernels {
  /** The losses of the rows, and their gradients for an upstream gradient of 1, if there is an array for them. */
  loss(rows: LossRows, gradient?: Values): Totals;
  /** `dy` is one upstream gradient for all rows, or one a row. */
  lossGradient(rows: LossRows, dy: Values, gradient: Values): void;
  softmax(x: Values, view: ClassView, out: Values): void;
  logSoftmax(x: Values, view: ClassView, out: Values): void;
  /** `y * (dy - sum(dy * y))`, where `y` is the softmax. */
  softmaxGradient(y: Values, dy: Values, view: ClassView, out: Values): void;
  /** `dy - softmax(x) * sum(dy)`. */
  logSoftmaxGradient(x: Values, dy: Values, view: ClassView, out: Values): void;
  /** `x *= dy / upstream`, in place: from the upstream gradient that `x` was made for to `dy`, one number or one a row. */
  scale(x: Values, view: ClassView, dy: Values, upstream: number): void;
  /**
   * Of the three matrices that a projection has to do with, adds to one the product of the others: to `g` the logits
   * `x w^T`, to `x` the gradient by the input, `g w`, or to `w` that by the weights, `g^T x`.
   */
  addProduct(to: 'x' | 'w' | 'g', matrices: Projection): void;
}

/** Its matrices: `x` is `[rows, features]`, `w` `[units, features]`, and `g` `[rows, units]`. */
export interface Projection {
  readonly x: Values;
  readonly w: Values;
  readonly g: Values;
  readonly features: number;
}
