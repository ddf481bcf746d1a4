import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelName, Kernels } from '../../ops/contracts';
import { compositeKernels } from '../composite';
import type { WebGPUBackend } from './backend';
import { crossEntropyLoss, crossEntropyLossGrad } from './cross-entropy-loss';
import { nllLoss, nllLossGrad } from './nll-loss';
import { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from './softmax';

/** Fused kernels in WGSL: one dispatch reads the logits for the records of the rows, one writes the gradient. */
const fused: Kernels<WebGPUBackend> = {
  NLLLoss: nllLoss,
  NLLLossGrad: nllLossGrad,
  CrossEntropyLoss: crossEntropyLoss,
  CrossEntropyLossGrad: crossEntropyLossGrad,
  LogSoftmaxDim: logSoftmax,
  LogSoftmaxDimGrad: logSoftmaxGrad,
  SoftmaxDim: softmax,
  SoftmaxDimGrad: softmaxGrad,
};

/** Nothing can be bound that is empty, so that is left to public ops. */
const whenEmpty = compositeKernels({ hostTargets: false });

type Kernel = (inputs: Record<string, TensorInfo>, ...rest: unknown[]) => TensorInfo | TensorInfo[];

function unlessEmpty(kernelName: KernelName): Kernel {
  const [kernel, fallback] = [fused, whenEmpty].map((kernels) => kernels[kernelName] as Kernel);
  return (inputs, ...rest) => {
    const { shape } = inputs.input ?? inputs.x;
    return (util.sizeFromShape(shape) === 0 ? fallback : kernel)(inputs, ...rest);
  };
}

export const webgpuKernels = Object.fromEntries(
  (Object.keys(fused) as KernelName[]).map((name) => [name, unlessEmpty(name)]),
) as unknown as Kernels<WebGPUBackend>;
