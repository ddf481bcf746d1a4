import { type ClassView, classView, elementAt } from '../../contract/class-view';
import type { Kernels, LossAttrs, LossOutputs } from '../../contract/kernels';
import type { Host, HostBackend, Values } from './host';
import { weightOf } from './labels';
import { divisorOf, lossShapes, reduceLosses } from './reduction';

type NLLLoss<Backend> = Pick<Kernels<Backend>, 'NLLLoss' | 'NLLLossGrad'>;

/** One element a row: no loops over the classes. */
export function nllLossKernels<Backend extends HostBackend>(host: Host<Backend>): NLLLoss<Backend> {
  return {
    NLLLoss({ input, target, weight }, attrs, backend) {
      const view = classView(input.shape, attrs.dim);
      const shapes = nllShapes(input, view, attrs);
      return host(backend, [input, target, weight], shapes, (_, [x, labels, weights], outputs) => {
        const atLabel = () => Float32Array.from(labels, (t, row) => x[elementAt(row, t, view)]);
        finishNLL(outputs, labels, weights, view, attrs, atLabel);
      }) as LossOutputs;
    },

    NLLLossGrad({ dy, input, target, record, divisor }, attrs, backend) {
      const view = classView(input.shape, attrs.dim);
      const inputs = [dy, target, record, divisor];
      const [gradient] = host(backend, inputs, [input.shape], (_, [dy, labels, record, [divisor]], [out]) => {
        out.fill(0);
        for (let row = 0; row < view.rows; row++) {
          if (labels[row] === attrs.ignoreIndex) continue;
          const k = dy[attrs.reduction === 'none' ? row : 0] / divisor;
          out[elementAt(row, labels[row], view)] = -k * record[row * 4 + 3];
        }
      });
      return gradient;
    },
  };
}

/** The gradient is no cheaper along with the loss: hence the record. */
export function nllShapes(input: { shape: number[] }, { rows }: ClassView, attrs: LossAttrs): number[][] {
  return lossShapes(input.shape, rows, { ...attrs, wants: attrs.wants === 'loss' ? 'loss' : 'record' });
}

/** Fills the outputs of the loss; `atLabel` gives the input at each label, whatever at an ignored one. */
export function finishNLL(
  [loss, record, divisorOut]: Values[],
  labels: Values,
  weights: Values,
  view: ClassView,
  attrs: LossAttrs,
  atLabel: () => Values,
): void {
  const given = weights.length > 0 ? weights : undefined;
  const divisor = divisorOf(view, attrs, labels, weights); // checks labels, before anything is read at one
  const x = atLabel();
  let likelihoods = 0;
  for (let row = 0; row < view.rows; row++) {
    const weight = weightOf(labels[row], given, attrs.ignoreIndex);
    const likelihood = weight === 0 ? 0 : -weight * x[row];
    record?.set([0, 0, likelihood, weight], row * 4);
    likelihoods += likelihood;
  }
  if (divisorOut) divisorOut[0] = divisor;
  reduceLosses(loss, record, divisor, { likelihoods, smoothings: 0 }, attrs);
}
