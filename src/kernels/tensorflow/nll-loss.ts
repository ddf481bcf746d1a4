import { classView } from '../../ops/class-view';
import type { Kernels, LossInputs, Tensors } from '../../ops/contracts';
import { checkTargets } from '../check-targets';
import { RowRecords } from '../cpu/reduce';
import { asHost, type TensorflowBackend } from './backend';
import { floats, labelsOf } from './rows';

export const nllLoss: Kernels<TensorflowBackend>['NLLLoss'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs as Tensors<LossInputs>;
  const view = classView(input.shape, attrs.dim);
  const [targets, weights] = [target, weight].map(floats);
  checkTargets(targets, view.classes, attrs.ignoreIndex);
  const label = labelsOf(input, targets, view, attrs.ignoreIndex);
  const records = new RowRecords(view.rows);
  for (let row = 0; row < view.rows; row++) {
    const t = targets[row];
    const w = t === attrs.ignoreIndex ? 0 : weights.length > 0 ? weights[t] : 1;
    records.add(row, 0, 1, w === 0 ? 0 : -w * label[row], 0, w);
  }
  return records.outputs(asHost(backend), inputs, attrs);
};
