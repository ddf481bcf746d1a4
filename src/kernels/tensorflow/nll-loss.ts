import { classView } from '../../contract/class-view';
import type { Kernels, LossInputs, LossOutputs, Tensors } from '../../contract/kernels';
import { lossShapes } from '../host/losses';
import { finishRows } from '../host/nll-loss';
import { type TensorflowBackend, tensorflow } from './backend';
import { labelsOf } from './rows';

export const nllLoss: Kernels<TensorflowBackend>['NLLLoss'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs as Tensors<LossInputs>;
  const view = classView(input.shape, attrs.dim);
  const shapes = lossShapes(input, attrs, view.rows);
  return tensorflow(backend, [target, weight], shapes, (_, [labels, weights], outputs) => {
    finishRows(outputs, labels, weights, view, attrs, () => labelsOf(input, labels, view, attrs.ignoreIndex));
  }) as LossOutputs;
};
