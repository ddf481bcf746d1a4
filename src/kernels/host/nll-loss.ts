import { type ClassView, classView, elementAt } from '../../contract/class-view';
import type { Kernels, LossAttrs, LossOutputs } from '../../contract/kernels';
import type { Host, Values } from './host';
import { weighLabels, weightOf } from './labels';
import { lossShapes, reduceLosses } from './losses';

type NLLLoss<Backend> = Pick<Kernels<Backend>, 'NLLLoss' | 'NLLLossGrad'>;

/** One element a row: no loops over the classes. */
export function nllLossKernels<Backend>(host: Host<Backend>): NLLLoss<Backend> {
  return {
    NLLLoss(inputs, attrs, backend) {
      const { input, target, weight } = inputs;
      const view = classView(input.shape, attrs.dim);
      const shapes = lossShapes(input, attrs, view.rows);
      return host(backend, [input, target, weight], shapes, (_, [x, labels, weights], outputs) => {
        const label = () => Float32Array.from(labels, (t, row) => x[elementAt(row, t, view)]);
        finishRows(outputs, labels, weights, view, attrs, label);
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

/** Fills the outputs of the loss; `pick` gives the input at each label, whatever at an ignored one. */
export function finishRows(
  outputs: Values[],
  labels: Values,
  weights: Values,
  view: ClassView,
  attrs: LossAttrs,
  pick: () => Values,
): void {
  const [loss, record, divisor] = outputs;
  const rowWeights = weighLabels(labels, weights, view.classes, attrs.ignoreIndex);
  divisor[0] = attrs.reduction === 'mean' ? rowWeights : 1;
  const picked = pick();
  let sum = 0;
  for (let row = 0; row < view.rows; row++) {
    const w = weightOf(labels[row], weights, attrs.ignoreIndex);
    const rowLoss = w === 0 ? 0 : -w * picked[row];
    record[row * 4] = 0;
    record[row * 4 + 1] = 1;
    record[row * 4 + 2] = rowLoss;
    record[row * 4 + 3] = w;
    sum += rowLoss;
  }
  reduceLosses(loss, record, divisor[0], [sum, 0], attrs);
}
