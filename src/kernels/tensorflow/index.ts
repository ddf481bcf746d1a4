import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import type { Kernels, SoftmaxAttrs } from '../../ops/contracts';
import * as composite from '../composite/softmax';
import { hostKernels } from '../host';
import { type TensorflowBackend, tensorflow } from './backend';
import { crossEntropyLoss, crossEntropyLossGrad } from './cross-entropy-loss';
import { nllLoss } from './nll-loss';
import { routes } from './routes';
import { logSoftmax, softmax } from './softmax';

const host = hostKernels(tensorflow);

/** Small inputs (and empty ones) to the kernels on the host, large ones to TensorFlow. */
export const tensorflowKernels: Kernels<TensorflowBackend> = {
  NLLLoss: bySize(host.NLLLoss, nllLoss),
  NLLLossGrad: host.NLLLossGrad, // reads no logits, and writes hardly anything but zeros
  CrossEntropyLoss: bySize(host.CrossEntropyLoss, crossEntropyLoss),
  CrossEntropyLossGrad: (inputs, attrs, backend) =>
    // A gradient that is known is multiplied where it is.
    (inputs.gradient ? crossEntropyLossGrad : bySize(host.CrossEntropyLossGrad, crossEntropyLossGrad))(
      inputs,
      attrs,
      backend,
    ),
  LogSoftmaxDim: bySize(host.LogSoftmaxDim, logSoftmax),
  LogSoftmaxDimGrad: bySize(host.LogSoftmaxDimGrad, composite.logSoftmaxGrad),
  SoftmaxDim: bySize(host.SoftmaxDim, softmax),
  SoftmaxDimGrad: bySize(host.SoftmaxDimGrad, composite.softmaxGrad),
};

type Kernel<Inputs, Attrs, Output> = (inputs: Inputs, attrs: Attrs, backend: TensorflowBackend) => Output;

function bySize<
  Inputs extends { readonly input: TensorInfo } | { readonly x: TensorInfo },
  Attrs extends SoftmaxAttrs,
  Output,
>(small: Kernel<Inputs, Attrs, Output>, large: Kernel<Inputs, Attrs, Output>): Kernel<Inputs, Attrs, Output> {
  return (inputs, attrs, backend) => {
    const { shape } = 'x' in inputs ? inputs.x : inputs.input;
    const { rows, classes, inner } = classView(shape, attrs.dim);
    const size = rows * classes;
    const limit = inner === 1 ? routes.contiguous : routes.apart;
    return (size === 0 || size <= limit ? small : large)(inputs, attrs, backend);
  };
}
