import { type ClassView, classView, elementAt } from '../../contract/class-view';
import type { Kernels, LossAttrs, LossOutputs } from '../../contract/kernels';
import { again, type Host, type HostBackend, type Values } from './host';
import { correctRows, divisorOf, lossShapes, reduceLosses, reduceStats, statsShapes, withoutRows } from './reduction';
import type { LossRows } from './row-kernels';

type CrossEntropyLoss<Backend> = Pick<Kernels<Backend>, 'CrossEntropyLoss' | 'CrossEntropyLossGrad' | 'ScaleGradient'>;

export function crossEntropyLossKernels<Backend extends HostBackend>(host: Host<Backend>): CrossEntropyLoss<Backend> {
  return {
    CrossEntropyLoss({ input, target, weight }, wanted, backend) {
      const view = classView(input.shape, wanted.dim);
      // A gradient over its logits comes afterwards: the loss reads them to the end.
      const attrs = wanted.wants === 'gradient' && wanted.overwrites ? { ...wanted, wants: 'record' as const } : wanted;
      const shapes = lossShapes(input.shape, view.rows, attrs);
      const all = [...shapes, ...statsShapes(input.shape, view.rows, attrs)];
      const isAlong = attrs.wants === 'gradient';
      const outputs = host(backend, [input, target, weight], all, (kernels, arrays, outputs) => {
        const stats = outputs.slice(shapes.length);
        const [loss, ...others] = outputs.slice(0, shapes.length);
        const [gradient, record, divisorOut] = isAlong ? others : [undefined, ...others];
        const divisor = divisorOf(view, attrs, arrays[1], arrays[2]);
        const gradientDivisor = isAlong ? divisor / attrs.upstream : divisor;
        const rows = rowsOf(view, attrs, arrays, gradientDivisor, record, correctRows(stats));
        const totals = kernels.loss(rows, gradient);
        if (divisorOut) divisorOut[0] = divisor;
        reduceLosses(loss, record, divisor, totals, attrs);
        reduceStats(stats, arrays[1], attrs);
      });
      const stats = withoutRows(outputs.splice(shapes.length), backend);
      // The record of rows whose losses are taken from it, and whose gradient does not need it.
      if (isAlong && outputs.length > 2) backend.disposeData(outputs.pop()!.dataId);
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
      const view = classView(gradient.shape, attrs.dim);
      host(backend, [gradient, dy, target], [], (kernels, [values, dy, labels]) => {
        if (dy.some((k) => k !== attrs.upstream)) kernels.scale(values, view, dy, attrs.upstream);
        if (!dy.every(Number.isFinite)) finishInfinite(values, view, dy, labels, attrs);
      });
      return again(gradient, backend);
    },
  };
}

/**
 * What is multiplied by Infinity is not one number but the two that it is the difference of, `k * mass * p - k * g`: NaN,
 * as in PyTorch, unless the coefficient `g` is 0. Ignored rows stay 0.
 */
function finishInfinite(values: Values, view: ClassView, dy: Values, labels: Values, attrs: LossAttrs): void {
  const { target, labelSmoothing, ignoreIndex } = attrs;
  const fill = (row: number, value: number) => {
    for (let c = 0; c < view.classes; c++) values[elementAt(row, c, view)] = value;
  };
  for (let row = 0; row < view.rows; row++) {
    if (Number.isFinite(dy[dy.length > 1 ? row : 0])) continue;
    if (target === 'indices' && labels[row] === ignoreIndex) fill(row, 0);
    else if (target === 'indices' && labelSmoothing === 0) values[elementAt(row, labels[row], view)] = Number.NaN;
    else fill(row, Number.NaN);
  }
}

/** The rows as the inputs of both kernels give them: the logits, the target, and the class weights. */
function rowsOf(
  view: ClassView,
  { target, ignoreIndex, labelSmoothing }: LossAttrs,
  [x, targets, givenWeights]: Values[],
  gradientDivisor: number,
  record?: Values,
  correct?: Values,
): LossRows {
  const [labels, probabilities] = target === 'indices' ? [targets] : [undefined, targets];
  const weights = givenWeights.length > 0 ? givenWeights : undefined;
  return { view, x, labels, probabilities, ignoreIndex, labelSmoothing, weights, gradientDivisor, record, correct };
}
