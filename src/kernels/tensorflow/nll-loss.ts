import { classView } from '../../ops/class-view';
import type { Kernels, LossInputs, LossOutputs, Tensors } from '../../ops/contracts';
import { checkTargets } from '../check-targets';
import { divisorOf, lossShapes, RowRecords } from '../host/row-records';
import { type TensorflowBackend, tensorflow } from './backend';
import { labelsOf } from './rows';

export const nllLoss: Kernels<TensorflowBackend>['NLLLoss'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs as Tensors<LossInputs>;
  const view = classView(input.shape, attrs.dim);
  const shapes = lossShapes(input, attrs, view.rows);
  return tensorflow(backend, [target, weight], shapes, (_, [targets, weights], outputs) => {
    checkTargets(targets, view.classes, attrs.ignoreIndex);
    const label = labelsOf(input, targets, view, attrs.ignoreIndex);
    const records = new RowRecords(inputs, attrs, outputs, divisorOf(inputs, attrs, targets, weights));
    for (let row = 0; row < view.rows; row++) {
      const t = targets[row];
      const w = t === attrs.ignoreIndex ? 0 : weights.length > 0 ? weights[t] : 1;
      records.add(row, 0, 1, w === 0 ? 0 : -w * label[row], 0, w);
    }
    records.reduce();
  }) as LossOutputs;
};
