import { type ClassView, classView, elementAt } from '../../contract/class-view';
import type { Kernels, LossAttrs, LossOutputs } from '../../contract/kernels';
import { again, type Host, type HostBackend, type Values } from './host';
import { weighLabels } from './labels';
import { correctRows, lossShapes, reduceLosses, reduceStats, statsShapes, withoutRows } from './reduction';
import type { LossRows } from './row-kernels';

type CrossEntropyLoss<Backend> = Pick<Kernels<Backend>, 'CrossEntropyLoss' | 'CrossEntropyLossGrad' | 'ScaleGradient'>;

export function crossEntropyLossKernels<Backend extends HostBackend>(host: Host<Backend>): CrossEntropyLoss<Backend> {
  return {
    CrossEntropyLoss({ input, target, weight }, attrs, backend) {
      const view = classView(input.shape, attrs.dim);
      const shapes = lossShapes(input.shape, view.rows, attrs);
      const all = [...shapes, ...statsShapes(input.shape, view.rows, attrs)];
      const outputs = host(backend, [input, target, weight], all, (kernels, arrays, outputs) => {
        const stats = outputs.slice(shapes.length);
        const [loss, second, divisorOut] = outputs.slice(0, shapes.length);
        const record = divisorOut && second;
        const divisor = divisorOf(view, attrs, arrays[1], arrays[2]);
        const rows = rowsOf(view, attrs, arrays, divisor, record, correctRows(stats));
        const totals = kernels.loss(rows, record ? undefined : second);
        if (divisorOut) divisorOut[0] = divisor;
        reduceLosses(loss, record, divisor, totals, attrs);
        reduceStats(stats, arrays[1], attrs);
      });
      const stats = withoutRows(outputs.splice(shapes.length), backend);
      return [...outputs, ...stats] as LossOutputs;
    },

    CrossEntropyLossGrad({ input, target, weight, dy, record, divisor }, attrs, backend) {
      const view = classView(input.shape, attrs.dim);
      const inputs = [input, target, weight, dy, record, divisor];
      const shapes = attrs.overwrites ? [] : [input.shape];
      const [gradient] = host(backend, inputs, shapes, (kernels, arrays, [out = arrays[0]]) => {
        const [, , , dy, record, [divisor]] = arrays;
        kernels.lossGradient(rowsOf(view, attrs, arrays, divisor, record), dy, out);
      });
      return gradient ?? input;
    },

    ScaleGradient({ gradient, dy, target }, attrs, backend) {
      host(backend, [gradient, dy, target], [], (kernels, [values, [k], labels]) => {
        if (k !== 1) kernels.scale(values, k);
        if (Number.isFinite(k) || attrs.target !== 'indices') return;
        const view = classView(gradient.shape, attrs.dim);
        for (let row = 0; row < view.rows; row++) {
          if (labels[row] !== attrs.ignoreIndex) continue;
          for (let c = 0; c < view.classes; c++) values[elementAt(row, c, view)] = 0;
        }
      });
      return again(gradient, backend);
    },
  };
}

/** The rows as the inputs of both kernels give them: the logits, the target, and the class weights. */
function rowsOf(
  view: ClassView,
  { target, ignoreIndex, labelSmoothing }: LossAttrs,
  [x, targets, givenWeights]: Values[],
  divisor: number,
  record?: Values,
  correct?: Values,
): LossRows {
  const [labels, probabilities] = target === 'indices' ? [targets] : [undefined, targets];
  const weights = givenWeights.length > 0 ? givenWeights : undefined;
  return { view, x, labels, probabilities, ignoreIndex, labelSmoothing, weights, divisor, record, correct };
}

/** What the sum of the losses is divided by. Also checks labels, whatever the reduction. */
export function divisorOf(
  view: ClassView,
  { target, reduction, ignoreIndex }: LossAttrs,
  targets: Values,
  weights: Values,
): number {
  const rowWeights =
    target === 'indices'
      ? weighLabels(targets, weights.length > 0 ? weights : undefined, view.classes, ignoreIndex)
      : view.classes && view.rows; // without classes PyTorch's mean is NaN
  return reduction === 'mean' ? rowWeights : 1;
}
