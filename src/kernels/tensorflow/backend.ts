import { type DataId, engine, type Tensor, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { Host, HostBackend, Values } from '../host/host';
import { ownRowKernels } from '../simd/own-row-kernels';

/** What we use of tfjs-node's backend. */
export interface TensorflowBackend extends HostBackend {
  write(values: Values, shape: number[], dtype: 'float32'): DataId;
  executeMultipleOutputs(name: string, attrs: object[], inputs: readonly TensorInfo[], outputs: number): Tensor[];
  readonly tensorMap: { get(dataId: DataId): { readonly values: Values | null } };
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number };
}

/** Reading copies out of TensorFlow, but for what has not been there yet; writing shares the memory. */
export const tensorflow: Host<TensorflowBackend> = (backend, inputs, shapes, compute) => {
  const outputs = shapes.map((shape) => new Float32Array(util.sizeFromShape([...shape])));
  compute(ownRowKernels(), inputs.map(valuesOf), outputs);
  return outputs.map((values, i) => {
    const shape = [...shapes[i]];
    return { dataId: backend.write(values, shape, 'float32'), shape, dtype: 'float32' };
  });
};

/** A tensor's elements. */
export const valuesOf = ({ dataId }: TensorInfo): Values => engine().readSync(dataId) as Values;

/** Runs an operation of TensorFlow's own that TensorFlow.js has no name for, on float32. */
export function runNative(backend: TensorflowBackend, name: string, inputs: readonly TensorInfo[]): Tensor {
  const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  const T = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  return backend.executeMultipleOutputs(name, [T], inputs, 1)[0];
}
