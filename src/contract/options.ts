import type { AnyTensor, ResultOf, ScalarOf } from './any-tensor';

/**
 * How the losses of the rows become one: `'mean'`, `'sum'`, or `'none'`, which leaves them as they are.
 *
 * @see {@link NLLLossOptions.reduction} for what the mean divides by.
 */
export type Reduction = 'mean' | 'sum' | 'none';

/** What a loss of reduction `R` is, for an input of type `T`: a scalar, or with `'none'` a tensor. */
export type LossOf<R extends Reduction, T> = R extends 'none' ? ResultOf<T> : ScalarOf<T>;

/** A loss with what accuracy is made of: see {@link crossEntropyWithStats}. */
export interface LossWithStats<R extends Reduction, T> {
  /** The loss as {@link crossEntropy} gives it. */
  readonly loss: LossOf<R, T>;
  /** How many rows have their largest logit at their label; with `'none'` 1 or 0 a row. */
  readonly correct: LossOf<R, T>;
  /** How many rows are not ignored; with `'none'` 1 or 0 a row. */
  readonly count: LossOf<R, T>;
}

/**
 * A factor for each class, `[C]`: numbers in an array or typed array, or a float32 tensor. A tensor stays on its device.
 */
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

/** Options of {@link nllLoss} and {@link NLLLoss}. */
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

/** What the options of {@link linearCrossEntropy} and {@link LinearCrossEntropyLoss} have in common. */
export interface LinearLossOptions<R extends Reduction = Reduction> extends Omit<CrossEntropyOptions<R>, 'dim'> {
  /**
   * How many rows have their logits in memory at a time; fewer where the device holds no more.
   * @default about as many rows as have logits of the input's size, 64 at least, if rows >= features and classes > features;
   *     else all rows
   */
  readonly batchChunkSize?: number;
  /**
   * Position `t` of a `[N, T, D]` input predicts the target at `t + shift`: 1 for language models, whose targets are their
   * inputs. The last positions predict nothing.
   * @default 0
   */
  readonly shift?: number;
}

/** Options of {@link linearCrossEntropy}. */
export interface LinearCrossEntropyOptions<R extends Reduction = Reduction> extends LinearLossOptions<R> {
  /**
   * What is added to the logits of each class, `[C]`, float32.
   * @default nothing
   */
  readonly linearBias?: AnyTensor | null;
}

/** Options of {@link LinearCrossEntropyLoss}. */
export interface LinearCrossEntropyLossOptions<R extends Reduction = Reduction> extends LinearLossOptions<R> {
  /**
   * Whether the layer has a bias.
   * @default false
   */
  readonly bias?: boolean;
}

/** Options of {@link crossEntropy} and {@link CrossEntropyLoss}. */
export interface CrossEntropyOptions<R extends Reduction = Reduction> extends NLLLossOptions<R> {
  /**
   * The share of the target's probability, in [0, 1], that is spread evenly over all classes.
   * @default 0
   */
  readonly labelSmoothing?: number;
}

/** The options of an {@link NLLLoss} as plain JSON: what its `getConfig` gives, and `fromConfig` takes. */
export interface NLLLossConfig<R extends Reduction = Reduction> {
  /** The class weights, or `null`. Those that are not finite are strings, for JSON has no such numbers. */
  readonly weight: readonly (number | 'NaN' | 'Infinity' | '-Infinity')[] | null;
  /** The class index whose rows contribute nothing. */
  readonly ignoreIndex: number;
  /** `'mean'`, `'sum'` or `'none'`. */
  readonly reduction: R;
  /** The class dimension; left out for PyTorch's. */
  readonly dim?: number;
}

/** The options of a {@link CrossEntropyLoss} as plain JSON: what its `getConfig` gives, and `fromConfig` takes. */
export interface CrossEntropyConfig<R extends Reduction = Reduction> extends NLLLossConfig<R> {
  /** The share of the target's probability that is spread evenly over all classes. */
  readonly labelSmoothing: number;
}

/** The options of a {@link LinearCrossEntropyLoss} as plain JSON: what its `getConfig` gives, and `fromConfig` takes. */
export interface LinearCrossEntropyConfig<R extends Reduction = Reduction> extends Omit<CrossEntropyConfig<R>, 'dim'> {
  /** `D`, the size of a row of the input. */
  readonly inFeatures: number;
  /** `C`. */
  readonly numClasses: number;
  /** Whether the layer has a bias. */
  readonly bias: boolean;
  /** Left out where it is chosen by the sizes. */
  readonly batchChunkSize?: number;
  /** How far ahead of its position a target is. */
  readonly shift: number;
}
