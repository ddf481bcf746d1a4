import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type ClassView, classView } from '../../contract/class-view';
import type { Kernels, LossAttrs, SoftmaxAttrs } from '../../contract/kernels';
import { linearInputGrad } from '../composite/linear';
import * as composite from '../composite/softmax';
import { hostKernels } from '../host';
import { type TensorflowBackend, tensorflow } from './backend';
import { crossEntropyLoss, crossEntropyLossGrad, scaleGradient } from './cross-entropy-loss';
import { linearLogits, linearWeightGrad } from './linear';
import { nllLoss } from './nll-loss';
import { isLarge, isNative } from './routes';
import { logSoftmax, softmax } from './softmax';

const host = hostKernels(tensorflow);

/** With coefficients for all classes, TensorFlow would take twice as many passes. */
const isPlain = (view: ClassView, { target, labelSmoothing }: LossAttrs) =>
  isNative(view) && target === 'indices' && labelSmoothing === 0;

/** Small inputs (and empty ones) to the kernels on the host, large ones to TensorFlow. */
export const tensorflowKernels: Kernels<TensorflowBackend> = {
  NLLLoss: choose(isLarge, host.NLLLoss, nllLoss),
  NLLLossGrad: host.NLLLossGrad, // reads no logits, and writes hardly anything but zeros
  CrossEntropyLoss: choose(isPlain, host.CrossEntropyLoss, crossEntropyLoss),
  CrossEntropyLossGrad: choose(isPlain, onCopies(host.CrossEntropyLossGrad), crossEntropyLossGrad),
  // What was written on the host is scaled there, in place, until one of TensorFlow's operations has read it.
  ScaleGradient: (inputs, attrs, backend) =>
    (backend.tensorMap.get(inputs.gradient.dataId).values ? host.ScaleGradient : scaleGradient)(inputs, attrs, backend),
  LinearLogits: linearLogits,
  LinearInputGrad: linearInputGrad,
  LinearWeightGrad: linearWeightGrad,
  LogSoftmaxDim: choose(isNative, host.LogSoftmaxDim, logSoftmax),
  LogSoftmaxDimGrad: choose(isNative, host.LogSoftmaxDimGrad, composite.logSoftmaxGrad),
  SoftmaxDim: choose(isNative, host.SoftmaxDim, softmax),
  SoftmaxDimGrad: choose(isNative, host.SoftmaxDimGrad, composite.softmaxGrad),
};

/** What kernels on the host write over is a copy. */
function onCopies<Inputs, Output>(kernel: Kernel<Inputs, LossAttrs, Output>): Kernel<Inputs, LossAttrs, Output> {
  return (inputs, attrs, backend) => kernel(inputs, { ...attrs, overwrites: false }, backend);
}

type Kernel<Inputs, Attrs, Output> = (inputs: Inputs, attrs: Attrs, backend: TensorflowBackend) => Output;

function choose<
  Inputs extends { readonly input: TensorInfo } | { readonly x: TensorInfo },
  Attrs extends SoftmaxAttrs,
  Output,
>(
  when: (view: ClassView, attrs: Attrs) => boolean,
  small: Kernel<Inputs, Attrs, Output>,
  large: Kernel<Inputs, Attrs, Output>,
): Kernel<Inputs, Attrs, Output> {
  return (inputs, attrs, backend) => {
    const { shape } = 'x' in inputs ? inputs.x : inputs.input;
    return (when(classView(shape, attrs.dim), attrs) ? large : small)(inputs, attrs, backend);
  };
}
