import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelName, Kernels, LossAttrs } from '../contract/kernels';
import { compositeKernels } from './composite';
import { checkLabels } from './known-values';

type Kernel = (inputs: Record<string, TensorInfo>, attrs: object, backend: unknown) => unknown;

/**
 * Fused kernels, and the composite ones for what those cannot serve: nothing can be bound or drawn that is empty. Labels
 * are checked as long as nobody need wait for them.
 */
export function orComposite<Backend>(fused: Partial<Kernels<Backend>>, serves = () => true): Kernels<Backend> {
  const choose = (kernelName: KernelName): Kernel => {
    const [kernel, composite] = [fused, compositeKernels].map((kernels) => kernels[kernelName] as unknown as Kernel);
    return (inputs, attrs, backend) => {
      const { shape } = inputs.input ?? inputs.gradient ?? inputs.x;
      const { target, dim, ignoreIndex } = attrs as LossAttrs;
      if (target === 'indices' && !inputs.dy) checkLabels(inputs.target, shape[dim], ignoreIndex);
      return (serves() && util.sizeFromShape(shape) > 0 ? kernel : composite)(inputs, attrs, backend);
    };
  };
  const chosen = (Object.keys(fused) as KernelName[]).map((name) => [name, choose(name)]);
  return { ...compositeKernels, ...Object.fromEntries(chosen) };
}
