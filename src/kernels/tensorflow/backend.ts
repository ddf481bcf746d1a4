import type { DataId, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import type { HostBackend } from '../cpu/host';

/** What we use of tfjs-node's backend. */
export interface TensorflowBackend {
  readSync(dataId: DataId): Float32Array | Int32Array;
  write(values: Float32Array, shape: number[], dtype: 'float32'): DataId;
  executeMultipleOutputs(name: string, attrs: object[], inputs: readonly TensorInfo[], outputs: number): Tensor[];
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number };
}

/** Runs an operation of TensorFlow's own that TensorFlow.js has no name for, on float32. */
export function runNative(backend: TensorflowBackend, name: string, inputs: readonly TensorInfo[]): Tensor {
  const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  const T = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  return backend.executeMultipleOutputs(name, [T], inputs, 1)[0];
}

/** The backend as kernels on the host see one: reading copies out of TensorFlow, writing shares the memory. */
export function asHost(backend: TensorflowBackend): HostBackend {
  return {
    readSync: (dataId) => backend.readSync(dataId),
    makeTensorInfo: (shape, dtype, values) => ({ dataId: backend.write(values, shape, dtype), shape, dtype }),
  };
}
