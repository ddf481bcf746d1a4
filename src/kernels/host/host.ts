import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Page } from './page';

/** A tensor's elements; an int32 tensor's are integers in an Int32Array, which are read just the same. */
export type Values = Float32Array;

/**
 * How kernels reach tensors on a backend whose data is in this process: `compute` gets the elements of the inputs and
 * fills those of float32 outputs of these shapes, which are returned. Nothing is left behind if it throws.
 */
export type Host<Backend> = (
  backend: Backend,
  inputs: readonly TensorInfo[],
  shapes: readonly (readonly number[])[],
  compute: (page: Page, inputs: Values[], outputs: Values[]) => void,
) => TensorInfo[];
