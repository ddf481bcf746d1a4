import type { AnyTensor, ResultOf, ScalarOf } from './any-tensor';

/** How the losses of the rows become one: their mean, their sum, or left as they are. */
export type Reduction = 'mean' | 'sum' | 'none';

/** What a loss of reduction `R` is, for an input of type `T`. */
export type LossOf<R extends Reduction, T> = { mean: ScalarOf<T>; sum: ScalarOf<T>; none: ResultOf<T> }[R];

/** A loss with what accuracy is made of: see `crossEntropyWithStats`. */
export interface LossWithStats<R extends Reduction, T> {
  readonly loss: LossOf<R, T>;
  /** How many rows have their largest logit at their label; with `'none'` 1 or 0 a row. */
  readonly correct: LossOf<R, T>;
  /** How many rows are not ignored; with `'none'` 1 or 0 a row. */
  readonly count: LossOf<R, T>;
}

/** A factor for each class, `[C]`; tensors are float32. */
export type ClassWeight =
  | readonly number[]
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | AnyTensor;

/** Options of `nllLoss` and `NLLLoss`. */
export interface NLLLossOptions<R extends Reduction = Reduction> {
  /**
   * A factor for the loss of each class, `[C]`.
   * @default every class counts alike
   */
  readonly weight?: ClassWeight | null;
  /**
   * A class index whose rows contribute nothing, to the value or to the gradient: any int32, in `[0, C)` or not.
   * @default -100
   */
  readonly ignoreIndex?: number;
  /**
   * `'none'`: a loss for each row; `'sum'`: their sum; `'mean'`: the sum divided by the sum of the rows' class weights
   * (with probability targets by the number of rows).
   * @default 'mean'
   */
  readonly reduction?: R;
  /**
   * The class dimension; `-1` for channels-last data.
   * @default 1, as in PyTorch (0 for an unbatched `[C]` input)
   */
  readonly dim?: number;
}

/** Options of `crossEntropy` and `CrossEntropyLoss`. */
export interface CrossEntropyOptions<R extends Reduction = Reduction> extends NLLLossOptions<R> {
  /**
   * The share of the target's probability, in [0, 1], that is spread evenly over all classes.
   * @default 0
   */
  readonly labelSmoothing?: number;
}
