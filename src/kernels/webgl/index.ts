import { env, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelName, Kernels } from '../../ops/contracts';
import { compositeKernels } from '../composite';
import { size, type WebGLBackend } from './backend';
import { crossEntropyLoss, crossEntropyLossGrad } from './cross-entropy-loss';
import { nllLoss, nllLossGrad } from './nll-loss';
import { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from './softmax';

const fused: Kernels<WebGLBackend> = {
  NLLLoss: nllLoss,
  NLLLossGrad: nllLossGrad,
  CrossEntropyLoss: crossEntropyLoss,
  CrossEntropyLossGrad: crossEntropyLossGrad,
  LogSoftmaxDim: logSoftmax,
  LogSoftmaxDimGrad: logSoftmaxGrad,
  SoftmaxDim: softmax,
  SoftmaxDimGrad: softmaxGrad,
};

type Inputs = { readonly input?: TensorInfo; readonly x?: TensorInfo };
type Kernel = (inputs: Inputs, attrs: object, backend: object) => TensorInfo;

/** Shaders need WebGL 2, and something to draw. */
function serves({ input, x }: Inputs): boolean {
  return env().getNumber('WEBGL_VERSION') === 2 && size((input ?? x)!.shape) > 0;
}

const composite = compositeKernels({ hostTargets: false });

/** Fused kernels as WebGL 2 shaders: a pass over the logits for the loss, and another one for the gradient. */
export const webglKernels = Object.fromEntries(
  (Object.keys(fused) as KernelName[]).map((name) => {
    const [ours, other] = [fused[name], composite[name]] as unknown as Kernel[];
    const kernel: Kernel = (inputs, attrs, backend) => (serves(inputs) ? ours : other)(inputs, attrs, backend);
    return [name, kernel];
  }),
) as unknown as Kernels<WebGLBackend>;

/** Whether a backend is WebGL's, whatever the name that it is registered under. */
export function isWebGL(backend: object): boolean {
  return 'texData' in backend && 'compileAndRun' in backend;
}
