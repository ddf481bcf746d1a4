import { env } from '@tensorflow/tfjs-core';
import { orComposite } from '../or-composite';
import type { WebGLBackend } from './backend';
import { crossEntropyLoss, crossEntropyLossGrad } from './cross-entropy-loss';
import { nllLoss, nllLossGrad } from './nll-loss';
import { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from './softmax';

/** Fused kernels as WebGL 2 shaders: a pass over the logits for the loss, and another one for the gradient. */
export const webglKernels = orComposite<WebGLBackend>(
  {
    NLLLoss: nllLoss,
    NLLLossGrad: nllLossGrad,
    CrossEntropyLoss: crossEntropyLoss,
    CrossEntropyLossGrad: crossEntropyLossGrad,
    LogSoftmaxDim: logSoftmax,
    LogSoftmaxDimGrad: logSoftmaxGrad,
    SoftmaxDim: softmax,
    SoftmaxDimGrad: softmaxGrad,
  },
  () => env().getNumber('WEBGL_VERSION') === 2,
);

/** Whether a backend is WebGL's, whatever the name that it is registered under. */
export function isWebGL(backend: object): boolean {
  return 'texData' in backend && 'compileAndRun' in backend;
}
