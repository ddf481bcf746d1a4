import type { Scalar, Tensor } from '@tensorflow/tfjs-core';

/**
 * A tensor of whichever copy of TensorFlow.js made it. TypeScript takes the `Tensor`s of two versions for two types, but
 * they share one engine and are as good as one.
 */
export interface AnyTensor {
  /** One and the same for a tensor, and no other's. */
  readonly id: number;
  /** Where its data is. Tensors that share their data share it. */
  readonly dataId: object;
  /** The sizes of its dimensions. */
  readonly shape: number[];
  /** `'float32'`, `'int32'` or another type of TensorFlow.js. */
  readonly dtype: string;
}

/** The type of a result for an argument of type `T`. Those of another copy cannot be named from here. */
// biome-ignore lint/suspicious/noExplicitAny: nothing else fits a type that cannot be named
export type ResultOf<T, Result extends Tensor = Tensor> = T extends Tensor ? Result : any;

/** `ResultOf` where the result is a scalar. */
export type ScalarOf<T> = ResultOf<T, Scalar>;
