import type { Kernels } from '../../contract/kernels';
import { crossEntropyLoss, crossEntropyLossGrad, scaleGradient } from './cross-entropy-loss';
import { linearInputGrad, linearLogits, linearWeightGrad } from './linear';
import { nllLoss, nllLossGrad } from './nll-loss';
import { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from './softmax';

/** Kernels made of public ops: right on any backend, known or not, and the yardstick of the fused ones. */
export const compositeKernels: Kernels<unknown> = {
  NLLLoss: nllLoss,
  NLLLossGrad: nllLossGrad,
  CrossEntropyLoss: crossEntropyLoss,
  CrossEntropyLossGrad: crossEntropyLossGrad,
  ScaleGradient: scaleGradient,
  LinearLogits: linearLogits,
  LinearInputGrad: linearInputGrad,
  LinearWeightGrad: linearWeightGrad,
  LogSoftmaxDim: logSoftmax,
  LogSoftmaxDimGrad: logSoftmaxGrad,
  SoftmaxDim: softmax,
  SoftmaxDimGrad: softmaxGrad,
};
