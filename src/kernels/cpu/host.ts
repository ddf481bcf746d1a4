import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';

/** What we use of TensorFlow.js's `cpu` backend: tensors are typed arrays, and reading one copies nothing. */
export interface HostBackend {
  readSync(dataId: DataId): Float32Array | Int32Array;
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
}

export function read(backend: HostBackend, tensor: TensorInfo): Float32Array {
  return backend.readSync(tensor.dataId) as Float32Array;
}

export function write(backend: HostBackend, shape: readonly number[], values: Float32Array): TensorInfo {
  return backend.makeTensorInfo([...shape], 'float32', values);
}
