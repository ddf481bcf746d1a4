import { type ClassView, classView } from '../../ops/class-view';
import type { Kernels, LossOutputs } from '../../ops/contracts';
import { checkTargets } from '../check-targets';
import type { Host } from './host';
import { divisorOf, lossShapes, RowRecords } from './row-records';

type NLLLoss<Backend> = Pick<Kernels<Backend>, 'NLLLoss' | 'NLLLossGrad'>;

/** One element a row: no loops over the classes, so nothing for row loops to do. */
export function nllLossKernels<Backend>(host: Host<Backend>): NLLLoss<Backend> {
  return {
    NLLLoss(inputs, attrs, backend) {
      const { input, target, weight } = inputs;
      const view = classView(input.shape, attrs.dim);
      const shapes = lossShapes(input, attrs, view.rows);
      return host(backend, [input, target, weight], shapes, (_, [x, labels, weights], outputs) => {
        checkTargets(labels, view.classes, attrs.ignoreIndex);
        const records = new RowRecords(inputs, attrs, outputs, divisorOf(inputs, attrs, labels, weights));
        for (let row = 0; row < view.rows; row++) {
          const t = labels[row];
          const w = t === attrs.ignoreIndex ? 0 : weights.length > 0 ? weights[t] : 1;
          records.add(row, 0, 1, w === 0 ? 0 : -w * x[elementAt(row, t, view)], 0, w);
        }
        records.reduce();
      }) as LossOutputs;
    },

    NLLLossGrad({ dy, input, target, record, divisor }, attrs, backend) {
      const view = classView(input.shape, attrs.dim);
      const inputs = [dy, target, record, divisor];
      const [result] = host(backend, inputs, [input.shape], (_, [upstream, labels, records, [d]], [dx]) => {
        dx.fill(0);
        for (let row = 0; row < view.rows; row++) {
          const t = labels[row];
          if (t === attrs.ignoreIndex) continue;
          const k = upstream[attrs.reduction === 'none' ? row : 0] / d;
          dx[elementAt(row, t, view)] = -k * records[row * 4 + 3];
        }
      });
      return result;
    },
  };
}

/** Where class `c` of a row is in a tensor of the class view. */
export function elementAt(row: number, c: number, { classes, inner }: ClassView): number {
  const o = Math.floor(row / inner);
  return (o * classes + c) * inner + (row - o * inner);
}
