import type { KernelBackend } from '@tensorflow/tfjs-core';
import type { Kernels, LossAttrs, LossInputs, LossOutputs } from '../../ops/contracts';
import { checkTargets } from '../check-targets';
import { crossEntropyLoss, crossEntropyLossGrad } from './cross-entropy-loss';
import { nllLoss, nllLossGrad } from './nll-loss';
import { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from './softmax';

/**
 * Kernels made of public ops: right on any backend, known or not, and the yardstick of the fused ones. `hostTargets`
 * says that reading a tensor does not wait for a device, so that bad class indices get an error.
 */
export function compositeKernels({ hostTargets }: { hostTargets: boolean }): Kernels<KernelBackend> {
  const loss = hostTargets ? checkingTargets : <Kernel>(kernel: Kernel) => kernel;
  return {
    NLLLoss: loss(nllLoss),
    NLLLossGrad: nllLossGrad,
    CrossEntropyLoss: loss(crossEntropyLoss),
    CrossEntropyLossGrad: crossEntropyLossGrad,
    LogSoftmaxDim: logSoftmax,
    LogSoftmaxDimGrad: logSoftmaxGrad,
    SoftmaxDim: softmax,
    SoftmaxDimGrad: softmaxGrad,
  };
}

function checkingTargets(kernel: (inputs: LossInputs, attrs: LossAttrs) => LossOutputs) {
  return (inputs: LossInputs, attrs: LossAttrs, backend: KernelBackend): LossOutputs => {
    const { input, target } = inputs;
    if (target.dtype === 'int32') {
      checkTargets(backend.readSync(target.dataId) as Int32Array, input.shape[attrs.dim], attrs.ignoreIndex);
    }
    return kernel(inputs, attrs);
  };
}
