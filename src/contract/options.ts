import type { Tensor1D } from '@tensorflow/tfjs-core';

/** How the losses of the rows become one: their mean, their sum, or left as they are. */
export type Reduction = 'mean' | 'sum' | 'none';

/** A factor for each class, `[C]`. */
export type ClassWeight = readonly number[] | Float32Array | Tensor1D;

/** Options of `nllLoss` and `NLLLoss`. */
export interface NLLLossOptions {
  /**
   * A factor for the loss of each class, `[C]`.
   * @default every class counts alike
   */
  readonly weight?: ClassWeight | null;
  /**
   * A class index whose rows contribute nothing, to the value or to the gradient. May lie outside of `[0, C)`.
   * @default -100
   */
  readonly ignoreIndex?: number;
  /**
   * `'none'`: a loss for each row; `'sum'`: their sum; `'mean'`: the sum divided by the sum of the rows' class weights
   * (with probability targets by the number of rows).
   * @default 'mean'
   */
  readonly reduction?: Reduction;
  /**
   * The class dimension; `-1` for channels-last data.
   * @default 1, as in PyTorch (0 for an unbatched `[C]` input)
   */
  readonly dim?: number;
}

/** Options of `crossEntropy` and `CrossEntropyLoss`. */
export interface CrossEntropyOptions extends NLLLossOptions {
  /**
   * The share of the target's probability, in [0, 1], that is spread evenly over all classes.
   * @default 0
   */
  readonly labelSmoothing?: number;
}
