import { backend, engine, getKernel, type NamedAttrMap, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';
import { registerKernels } from '../kernels/register';
import type { KernelName } from './contracts';

/**
 * Runs one of our kernels on the active backend: the only door from ops to kernels. TensorFlow.js has no fallback for
 * a kernel that a backend lacks, so a backend that nobody has met yet is given its kernels here.
 */
export function runOp<Output extends Tensor | Tensor[]>(kernelName: KernelName, inputs: object, attrs: object): Output {
  backend(); // starts the default backend, where none is active yet
  const { backendName } = engine();
  if (getKernel(kernelName, backendName) == null) registerKernels(backendName);
  return engine().runKernel(kernelName, inputs as NamedTensorMap, attrs as NamedAttrMap) as Tensor as Output;
}

/**
 * The same data as a tensor that no tape has seen. The row record and the divisor are functions of the input, but what
 * they contribute to a second derivative is already part of the gradient kernel's derivative with respect to that
 * input; on the tape it would be asked for once more.
 */
export function detach<T extends Tensor>(x: T): T {
  const { backendName } = engine();
  const info = getKernel('Identity', backendName).kernelFunc({ inputs: { x }, backend: backend() });
  return engine().makeTensorFromTensorInfo(Array.isArray(info) ? info[0] : info) as T;
}
