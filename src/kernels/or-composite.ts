import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelName, Kernels } from '../contract/kernels';
import { compositeKernels } from './composite';

type Kernel = (inputs: Record<string, TensorInfo>, ...rest: unknown[]) => unknown;

/** Fused kernels, and the composite ones for what those cannot serve: nothing can be bound or drawn that is empty. */
export function orComposite<Backend>(fused: Partial<Kernels<Backend>>, serves = () => true): Kernels<Backend> {
  const choose = (kernelName: KernelName): Kernel => {
    const [kernel, composite] = [fused, compositeKernels].map((kernels) => kernels[kernelName] as unknown as Kernel);
    return (inputs, ...rest) => {
      const { shape } = inputs.input ?? inputs.gradient ?? inputs.x;
      return (serves() && util.sizeFromShape(shape) > 0 ? kernel : composite)(inputs, ...rest);
    };
  };
  const chosen = (Object.keys(fused) as KernelName[]).map((name) => [name, choose(name)]);
  return { ...compositeKernels, ...Object.fromEntries(chosen) };
}
