import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import type { RowKernels } from './row-kernels';

/** A tensor's elements; an int32 tensor's are integers in an Int32Array, which are read just the same. */
export type Values = Float32Array;

/** What all backends have whose data is in this process. */
export interface HostBackend {
  /** The data has one more tensor. */
  incRef(dataId: DataId): void;
  /** It has one less, the last one perhaps. */
  disposeData(dataId: DataId): boolean;
}

/**
 * How kernels reach tensors on such a backend: `compute` gets the elements of the inputs and fills those of float32
 * outputs of these shapes, which are returned. Nothing is left behind if it throws. It may be called twice, where a memory
 * had to grow: what works in place must not need any room in it beyond what has been reserved before.
 */
export type Host<Backend extends HostBackend> = (
  backend: Backend,
  inputs: readonly TensorInfo[],
  shapes: readonly (readonly number[])[],
  compute: (kernels: RowKernels, inputs: Values[], outputs: Values[]) => void,
) => TensorInfo[];

/** The same data once more, as a kernel's output: it outlives the tensor. */
export function again({ dataId, shape, dtype }: TensorInfo, backend: HostBackend): TensorInfo {
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}
