import { orComposite } from '../or-composite';
import type { WebGPUBackend } from './backend';
import { crossEntropyLoss, crossEntropyLossGrad } from './cross-entropy-loss';
import { nllLoss, nllLossGrad } from './nll-loss';
import { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from './softmax';

/** Fused kernels in WGSL: one dispatch reads the logits for the records of the rows, one writes the gradient. */
export const webgpuKernels = orComposite<WebGPUBackend>({
  NLLLoss: nllLoss,
  NLLLossGrad: nllLossGrad,
  CrossEntropyLoss: crossEntropyLoss,
  CrossEntropyLossGrad: crossEntropyLossGrad,
  LogSoftmaxDim: logSoftmax,
  LogSoftmaxDimGrad: logSoftmaxGrad,
  SoftmaxDim: softmax,
  SoftmaxDimGrad: softmaxGrad,
});

/** Whether a backend is WebGPU's, whatever the name that it is registered under. */
export function isWebGPU(backend: object): boolean {
  return 'runWebGPUProgram' in backend;
}
