import { classView } from '../../ops/class-view';
import type { Kernels } from '../../ops/contracts';
import { checkTargets } from '../check-targets';
import { type HostBackend, read, write } from './host';
import { RowRecords } from './reduce';

type Cpu = Kernels<HostBackend>;

export const nllLoss: Cpu['NLLLoss'] = (inputs, attrs, backend) => {
  const { classes, inner, rows } = classView(inputs.input.shape, attrs.dim);
  const [x, target, weight] = [inputs.input, inputs.target, inputs.weight].map((info) => read(backend, info));
  checkTargets(target, classes, attrs.ignoreIndex);
  const records = new RowRecords(rows);
  for (let row = 0; row < rows; row++) {
    const t = target[row];
    const w = t === attrs.ignoreIndex ? 0 : weight.length > 0 ? weight[t] : 1;
    records.add(row, 0, 1, w === 0 ? 0 : -w * x[elementAt(row, t, classes, inner)], 0, w);
  }
  return records.outputs(backend, inputs, attrs);
};

export const nllLossGrad: Cpu['NLLLossGrad'] = ({ dy, input, target, record, divisor }, attrs, backend) => {
  const { classes, inner, rows } = classView(input.shape, attrs.dim);
  const [upstream, labels, records, [d]] = [dy, target, record, divisor].map((info) => read(backend, info));
  const dx = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    const t = labels[row];
    if (t === attrs.ignoreIndex) continue;
    const k = upstream[attrs.reduction === 'none' ? row : 0] / d;
    dx[elementAt(row, t, classes, inner)] = -k * records[row * 4 + 3];
  }
  return write(backend, input.shape, dx);
};

/** Where class `c` of a row is in a tensor of the class view. */
function elementAt(row: number, c: number, classes: number, inner: number): number {
  const o = Math.floor(row / inner);
  return (o * classes + c) * inner + (row - o * inner);
}
