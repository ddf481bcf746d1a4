import { backend, engine, getKernel, type NamedAttrMap, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';
import type { KernelName } from '../contract/kernels';
import { registerKernels } from '../kernels/register';
import { saveForGradient } from './tape';

/**
 * Runs one of our kernels on the active backend: the only door from ops to kernels. TensorFlow.js has no fallback for
 * a kernel that a backend lacks, so a backend that nobody has met yet is given its kernels here. Tensors that are on
 * another backend are moved before: not every way in which kernels read them would look there.
 */
export function runOp<Output extends Tensor | Tensor[]>(kernelName: KernelName, inputs: object, attrs: object): Output {
  const active = backend(); // starts the default backend, where none is active yet
  const { backendName } = engine();
  if (getKernel(kernelName, backendName) == null) registerKernels(backendName, active);
  for (const { dataId } of Object.values(inputs) as Tensor[]) {
    if (engine().state.tensorInfo.get(dataId)?.backend !== active) engine().moveData(active, dataId);
  }
  return engine().runKernel(kernelName, inputs as NamedTensorMap, attrs as NamedAttrMap) as Tensor as Output;
}

/** The same for a kernel with one output whose gradient needs its inputs. */
export function runSaving<T extends Tensor>(kernelName: KernelName, inputs: NamedTensorMap, attrs: object): T {
  const output = runOp<T>(kernelName, inputs, attrs);
  if (engine().isTapeOn()) saveForGradient(inputs);
  return output;
}
