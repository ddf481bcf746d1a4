import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type ClassView, classView } from '../../contract/class-view';
import type { Kernels, LossAttrs, LossInputs, LossOutputs } from '../../contract/kernels';
import type { Host, Values } from './host';
import { weighLabels } from './labels';
import { lossShapes, reduceLosses } from './losses';
import { DOT, EXPONENTIALS, FINISH_LOSS, KEEP, PEAK, RECALL, SCALED, SPREAD, START } from './page-layout';
import { forEachRow, type Task } from './rows';

type CrossEntropyLoss<Backend> = Pick<Kernels<Backend>, 'CrossEntropyLoss' | 'CrossEntropyLossGrad'>;

export function crossEntropyLossKernels<Backend>(host: Host<Backend>): CrossEntropyLoss<Backend> {
  return {
    CrossEntropyLoss(inputs, attrs, backend) {
      const { input, target, weight } = inputs;
      const { along, reduction, ignoreIndex } = attrs;
      const view = classView(input.shape, attrs.dim);
      const isIndex = target.dtype === 'int32';
      // With the gradient at hand, only those of probabilities and weights need the records.
      const records = reduction === 'none' || (attrs.records && !(along && isIndex));
      const [lossShape, ...others] = lossShapes(input, attrs, view.rows);
      const shapes = [lossShape, ...(along ? [input.shape] : []), ...(records ? others : [])];
      const outputs = host(backend, [input, target, weight], shapes, (page, [x, targets, weights], outputs) => {
        const [loss, ...rest] = outputs;
        const gradient = along && rest.shift();
        const [record, givenDivisor] = rest;
        const rowWeights = isIndex
          ? weighLabels(targets, weights, view.classes, ignoreIndex)
          : view.classes && view.rows;
        const divisor = reduction === 'mean' ? rowWeights : 1;
        const task = taskOf(inputs, attrs, view, x, targets, weights);
        const totals = forEachRow(page, view, {
          ...task,
          operations:
            START | PEAK | EXPONENTIALS | FINISH_LOSS | spreadOf(task, DOT | SPREAD) | (gradient ? KEEP | SCALED : 0),
          record,
          divisor,
          out: gradient,
        });
        if (givenDivisor) givenDivisor[0] = divisor;
        reduceLosses(loss, record, divisor, totals, attrs);
      });
      if (along) [along.gradient] = outputs.splice(1, 1);
      return outputs as LossOutputs;
    },

    CrossEntropyLossGrad(inputs, attrs, backend) {
      const { input, target, weight, dy, record, divisor, gradient } = inputs;
      if (gradient) return multiply(gradient, dy, backend);
      const view = classView(input.shape, attrs.dim);
      const tensors = [input, target, weight, dy, record, divisor];
      const [result] = host(backend, tensors, [input.shape], (page, values, [out]) => {
        const [x, targets, weights, dy, record, [divisor]] = values;
        const task = taskOf(inputs, attrs, view, x, targets, weights);
        const operations = START | RECALL | EXPONENTIALS | KEEP | SCALED | spreadOf(task, SPREAD);
        forEachRow(page, view, { ...task, operations, dy, record, divisor, out });
      });
      return result;
    },
  };

  /** A gradient that is 0 somewhere, as in ignored rows, is so whatever the upstream gradient. */
  function multiply(gradient: TensorInfo, dy: TensorInfo, backend: Backend): TensorInfo {
    const [result] = host(backend, [gradient, dy], [gradient.shape], (_, [x, [k]], [out]) => {
      for (let i = 0; i < x.length; i++) out[i] = x[i] === 0 ? 0 : k * x[i];
    });
    return result;
  }
}

/** What both kernels know. */
function taskOf(
  { target }: LossInputs,
  { labelSmoothing: e, ignoreIndex }: LossAttrs,
  { classes }: ClassView,
  x: Values,
  targets: Values,
  weights: Values,
): Omit<Task, 'operations'> {
  const isWeighted = weights.length > 0;
  const share = e / classes;
  const spread = { share, ...(isWeighted && { weights }) };
  if (target.dtype !== 'int32') return { x, q: targets, qShare: 1 - e, ...spread };
  const labels = { x, labels: targets, ...(isWeighted && { labelWeights: weights }), ignoreIndex };
  if (e === 0) return labels;
  const weightSum = isWeighted ? weights.reduce((a, b) => a + b, 0) : classes;
  return { ...labels, ...spread, labelShare: 1 - e, spreadMass: share * weightSum };
}

/** These operations, if classes count besides a label. */
const spreadOf = ({ share }: Omit<Task, 'operations'>, operations: number) => (share === undefined ? 0 : operations);
