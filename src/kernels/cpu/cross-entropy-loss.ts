import { classView } from '../../ops/class-view';
import type { Kernels } from '../../ops/contracts';
import { checkTargets } from '../check-targets';
import { expNonPositive } from './exp';
import { type HostBackend, read, write } from './host';
import { RowRecords } from './reduce';
import { forEachBlock } from './rows';
import { maxOf, sumExpOf } from './softmax';

type Cpu = Kernels<HostBackend>;

export const crossEntropyLoss: Cpu['CrossEntropyLoss'] = (inputs, attrs, backend) => {
  const { ignoreIndex, labelSmoothing: e } = attrs;
  const view = classView(inputs.input.shape, attrs.dim);
  const { classes } = view;
  const [x, target, weight] = [inputs.input, inputs.target, inputs.weight].map((info) => read(backend, info));
  const isIndex = inputs.target.dtype === 'int32';
  if (isIndex) checkTargets(target, classes, ignoreIndex);
  const weightOf = weight.length > 0 ? (c: number) => weight[c] : () => 1;
  const records = new RowRecords(view.rows);

  forEachBlock(view, isIndex ? [x] : [x, target], undefined, ({ first, count, start: base, sources: [x, q] }) => {
    for (let r = 0, start = base; r < count; r++, start += classes) {
      const row = first + r;
      if (isIndex && target[row] === ignoreIndex) {
        records.add(row, 0, 1, 0, 0, 0); // its logits do not count, so they are not looked at
        continue;
      }
      const end = start + classes;
      const max = maxOf(x, start, end);
      const sumExp = sumExpOf(x, start, end, max);
      const logSum = Math.log(sumExp);
      // -logProb[c] is (max - x[c]) + logSum, in this order: exact for a row whose loss is almost 0.
      if (isIndex) {
        const w = weightOf(target[row]);
        const likelihood = times((1 - e) * w, max - x[start + target[row]] + logSum);
        let smoothing = 0;
        if (e > 0) {
          for (let c = 0; c < classes; c++) smoothing += times(weightOf(c), max - x[start + c] + logSum);
        }
        records.add(row, max, sumExp, likelihood, (e / classes) * smoothing, w);
      } else {
        let loss = 0;
        let mass = 0;
        for (let c = 0; c < classes; c++) {
          const qw = (e > 0 ? q[start + c] * (1 - e) + e / classes : q[start + c]) * weightOf(c);
          loss += times(qw, max - x[start + c] + logSum);
          mass += qw;
        }
        records.add(row, max, sumExp, loss, 0, mass);
      }
    }
  });
  return records.outputs(backend, inputs, attrs);
};

export const crossEntropyLossGrad: Cpu['CrossEntropyLossGrad'] = (inputs, attrs, backend) => {
  const { input, target, weight, dy, record, divisor } = inputs;
  const { ignoreIndex, labelSmoothing: e, reduction } = attrs;
  const view = classView(input.shape, attrs.dim);
  const { classes } = view;
  const [x, targets, weights, upstream, records] = [input, target, weight, dy, record].map((i) => read(backend, i));
  const [d] = read(backend, divisor);
  const isIndex = target.dtype === 'int32';
  const weightOf = weights.length > 0 ? (c: number) => weights[c] : () => 1;
  let weightSum = 0;
  for (let c = 0; c < classes; c++) weightSum += weightOf(c);
  const dx = new Float32Array(view.rows * classes);

  forEachBlock(view, isIndex ? [x] : [x, targets], dx, ({ first, count, start: base, sources: [x, q], out }) => {
    for (let r = 0, start = base; r < count; r++, start += classes) {
      const row = first + r;
      const end = start + classes;
      const t = isIndex ? targets[row] : -1;
      if (isIndex && t === ignoreIndex) {
        out.fill(0, start, end);
        continue;
      }
      const k = upstream[reduction === 'none' ? row : 0] / d;
      const max = records[row * 4];
      const w = records[row * 4 + 3];
      const atLabel = k * (1 - e) * w;
      const mass = !isIndex ? k * w : e > 0 ? atLabel + k * (e / classes) * weightSum : atLabel;
      const scale = mass / records[row * 4 + 1];
      for (let j = start; j < end; j++) out[j] = scale * expNonPositive(x[j] - max);
      if (!isIndex) {
        for (let c = 0; c < classes; c++) {
          out[start + c] -= k * (e > 0 ? q[start + c] * (1 - e) + e / classes : q[start + c]) * weightOf(c);
        }
        continue;
      }
      if (e > 0) {
        for (let c = 0; c < classes; c++) out[start + c] -= k * (e / classes) * weightOf(c);
      }
      out[start + t] -= atLabel;
    }
  });
  return write(backend, input.shape, dx);
};

/** `coefficient * x`, but exactly 0 where the coefficient is 0, also when `x` is not finite. */
function times(coefficient: number, x: number): number {
  return coefficient === 0 ? 0 : coefficient * x;
}
