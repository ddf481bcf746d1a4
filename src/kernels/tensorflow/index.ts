import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Kernels } from '../../ops/contracts';
import * as composite from '../composite/softmax';
import { cpuKernels as host } from '../cpu';
import type { HostBackend } from '../cpu/host';
import { asHost, type TensorflowBackend } from './backend';
import { crossEntropyLoss, crossEntropyLossGrad } from './cross-entropy-loss';
import { nllLoss } from './nll-loss';
import { routes } from './routes';
import { logSoftmax, softmax } from './softmax';

/** Small inputs (and empty ones) to the kernels on the host, large ones to TensorFlow. */
export const tensorflowKernels: Kernels<TensorflowBackend> = {
  NLLLoss: bySize(host.NLLLoss, nllLoss),
  NLLLossGrad: onHost(host.NLLLossGrad), // reads no logits, and writes hardly anything but zeros
  CrossEntropyLoss: bySize(host.CrossEntropyLoss, crossEntropyLoss),
  CrossEntropyLossGrad: bySize(host.CrossEntropyLossGrad, crossEntropyLossGrad),
  LogSoftmaxDim: bySize(host.LogSoftmaxDim, logSoftmax),
  LogSoftmaxDimGrad: bySize(host.LogSoftmaxDimGrad, composite.logSoftmaxGrad),
  SoftmaxDim: bySize(host.SoftmaxDim, softmax),
  SoftmaxDimGrad: bySize(host.SoftmaxDimGrad, composite.softmaxGrad),
};

type Kernel<Inputs, Attrs, Backend, Output> = (inputs: Inputs, attrs: Attrs, backend: Backend) => Output;

function bySize<Inputs extends { readonly input: TensorInfo } | { readonly x: TensorInfo }, Attrs, Output>(
  small: Kernel<Inputs, Attrs, HostBackend, Output>,
  large: Kernel<Inputs, Attrs, TensorflowBackend, Output>,
): Kernel<Inputs, Attrs, TensorflowBackend, Output> {
  const smallOnHost = onHost(small);
  return (inputs, attrs, backend) => {
    const { shape } = 'x' in inputs ? inputs.x : inputs.input;
    const size = shape.reduce((a, b) => a * b, 1);
    return (size === 0 || size <= routes.hostElements ? smallOnHost : large)(inputs, attrs, backend);
  };
}

function onHost<Inputs, Attrs, Output>(
  kernel: Kernel<Inputs, Attrs, HostBackend, Output>,
): Kernel<Inputs, Attrs, TensorflowBackend, Output> {
  return (inputs, attrs, backend) => kernel(inputs, attrs, asHost(backend));
}
