import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import { util } from '@tensorflow/tfjs-core';
import { hostKernels } from '../host';
import type { Host, HostBackend, Values } from '../host/host';
import { ownRowKernels } from '../simd/own-row-kernels';

/** What we use of TensorFlow.js's `cpu` backend: tensors are typed arrays, and reading one copies nothing. */
interface CpuBackend extends HostBackend {
  readSync(dataId: DataId): Values;
  makeTensorInfo(shape: number[], dtype: 'float32', values: Values): TensorInfo;
}

const cpu: Host<CpuBackend> = (backend, inputs, shapes, compute) => {
  const outputs = shapes.map((shape) => new Float32Array(util.sizeFromShape([...shape])));
  compute(
    ownRowKernels(),
    inputs.map(({ dataId }) => backend.readSync(dataId)),
    outputs,
  );
  return outputs.map((values, i) => backend.makeTensorInfo([...shapes[i]], 'float32', values));
};

export const cpuKernels = hostKernels(cpu);
