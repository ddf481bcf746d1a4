import type { Kernels } from '../../ops/contracts';
import { crossEntropyLoss, crossEntropyLossGrad } from './cross-entropy-loss';
import type { HostBackend } from './host';
import { nllLoss, nllLossGrad } from './nll-loss';
import { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from './softmax';

/** Fused kernels in plain JavaScript: one pass for the maximum, one for the sum, one for the gradient. */
export const cpuKernels: Kernels<HostBackend> = {
  NLLLoss: nllLoss,
  NLLLossGrad: nllLossGrad,
  CrossEntropyLoss: crossEntropyLoss,
  CrossEntropyLossGrad: crossEntropyLossGrad,
  LogSoftmaxDim: logSoftmax,
  LogSoftmaxDimGrad: logSoftmaxGrad,
  SoftmaxDim: softmax,
  SoftmaxDimGrad: softmaxGrad,
};
