import { classView } from '../../contract/class-view';
import type { Kernels, LossInputs, LossOutputs, Tensors } from '../../contract/kernels';
import { finishNLL, nllShapes } from '../host/nll-loss';
import { type TensorflowBackend, tensorflow } from './backend';
import { labelsOf } from './rows';

export const nllLoss: Kernels<TensorflowBackend>['NLLLoss'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs as Tensors<LossInputs>;
  const view = classView(input.shape, attrs.dim);
  const shapes = nllShapes(input, view, attrs);
  return tensorflow(backend, [target, weight], shapes, (_, [labels, weights], outputs) => {
    const atLabel = () => labelsOf(input, labels, view, attrs.ignoreIndex);
    finishNLL(outputs, labels, weights, view, attrs, atLabel);
  }) as LossOutputs;
};
