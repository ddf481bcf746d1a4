import { max, reshape, type Tensor, type TensorInfo, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { type ClassView, classView } from '../../contract/class-view';
import { consume } from '../../contract/consume';
import { dense } from '../../contract/formulas';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, LossOutputs, Tensors } from '../../contract/kernels';
import * as composite from '../composite/cross-entropy-loss';
import { again, type Values } from '../host/host';
import { weightOf } from '../host/labels';
import { finishRow, IGNORED, storeRecord } from '../host/record';
import {
  correctRows,
  divisorOf,
  lossShapes,
  reduceLosses,
  reduceStats,
  statsShapes,
  withoutRows,
} from '../host/reduction';
import { runNative, type TensorflowBackend, tensorflow, valuesOf } from './backend';
import { labelElements, labelsOf, rowTensor, scoped } from './rows';

type Native = Kernels<TensorflowBackend>;

/**
 * Of class indices, without smoothing: TensorFlow makes the passes over the classes, and what is left to do for each row
 * is done here, as on the host. Its SparseSoftmaxCrossEntropyWithLogits is slower than Softmax and all other passes together.
 */
export const crossEntropyLoss: Native['CrossEntropyLoss'] = (infos, attrs, backend) => {
  const { input, target, weight } = infos as Tensors<LossInputs>;
  const view = classView(input.shape, attrs.dim);
  // Rows that are weighed later would take a second array of the gradient's size: TensorFlow multiplies to another place.
  const wants = attrs.wants === 'gradient' && attrs.reduction === 'none' ? 'record' : attrs.wants;
  const wantsGradient = wants === 'gradient';
  const shapes = lossShapes(input.shape, view.rows, { ...attrs, wants }).slice(0, wantsGradient ? 1 : undefined);
  const all = [...shapes, ...statsShapes(input.shape, view.rows, attrs)];
  const gradients: TensorInfo[] = [];
  const outputs = tensorflow(backend, [target, weight], all, (_, [labels, weights], outputs) => {
    const stats = outputs.slice(shapes.length);
    const correct = correctRows(stats);
    const [loss, record = new Float32Array(4 * view.rows), divisorOut] = outputs.slice(0, shapes.length);
    const divisor = divisorOf(view, attrs, labels, weights);
    const totals = scoped(() => {
      const x = dense(input, view);
      const rowMax = valuesOf(max(x, 1));
      const p = softmaxOf(x, view, backend);
      const largest = valuesOf(max(p, 1)); // exp(max - max) / sum
      const logits = labelsOf(input, labels, view, attrs.ignoreIndex);
      let likelihoods = 0;
      for (let row = 0; row < view.rows; row++) {
        const isIgnored = labels[row] === attrs.ignoreIndex;
        const w = weightOf(labels[row], weights.length > 0 ? weights : undefined, attrs.ignoreIndex);
        const sums = { max: rowMax[row], sum: 1 / largest[row], product: 0, mass: 0, isUsed: false };
        const finished = isIgnored ? IGNORED : finishRow(sums, { coefficient: w, x: logits[row], weight: w });
        storeRecord(record, row, finished);
        if (correct) correct[row] = Number(finished.isCorrect);
        likelihoods += finished.likelihood;
      }
      if (wantsGradient) {
        const upstream = Float32Array.of(attrs.upstream);
        gradients.push(again(gradientOf(p, input, labels, record, upstream, divisor, attrs, view, backend), backend));
      }
      return { likelihoods, smoothings: 0 };
    });
    if (divisorOut) divisorOut[0] = divisor;
    reduceLosses(loss, record, divisor, totals, attrs);
    reduceStats(stats, labels, attrs);
  });
  const stats = withoutRows(outputs.splice(shapes.length), backend);
  return [...outputs, ...gradients, ...stats] as LossOutputs;
};

export const crossEntropyLossGrad: Native['CrossEntropyLossGrad'] = (infos, attrs, backend) => {
  const inputs = infos as Tensors<LossGradInputs>;
  const { input } = inputs;
  const view = classView(input.shape, attrs.dim);
  const [labels, record, dy, [divisor]] = [inputs.target, inputs.record, inputs.dy, inputs.divisor].map(valuesOf);
  return tidy(() => {
    const p = softmaxOf(dense(input, view), view, backend);
    return gradientOf(p, input, labels, record, dy, divisor, attrs, view, backend);
  });
};

/** By TensorFlow's own operation, where the gradient is. Ignored rows are 0 already, and stay so times what is finite. */
export const scaleGradient: Native['ScaleGradient'] = (inputs, attrs, backend) => {
  const { gradient, dy } = inputs as Tensors<typeof inputs>;
  const upstreams = valuesOf(dy);
  if (upstreams.every((k) => k === attrs.upstream)) return again(gradient, backend);
  if (!upstreams.every(Number.isFinite)) return composite.scaleGradient(inputs, attrs, backend);
  return composite.scaled({ gradient, dy }, attrs);
};

/** The softmax of a tensor in the class view, of which it disposes. */
function softmaxOf(x: Tensor, { outer, classes }: ClassView, backend: TensorflowBackend): Tensor {
  const rows = consume(x, (x) => reshape(x, [outer, classes]));
  const p = consume(rows, (rows) => runNative(backend, 'Softmax', [rows]));
  return consume(p, (p) => reshape(p, [outer, classes, 1]));
}

/** The gradient by the input, of whose softmax it disposes: `k * w * softmax`, less `k * w` at the label. */
function gradientOf(
  softmax: Tensor,
  input: Tensor,
  labels: Values,
  record: Values,
  dy: Values,
  divisor: number,
  { ignoreIndex, reduction }: LossAttrs,
  view: ClassView,
  backend: TensorflowBackend,
): Tensor {
  const [scale, atLabel] = [0, 1].map(() => new Float32Array(view.rows));
  for (let row = 0; row < view.rows; row++) {
    if (labels[row] === ignoreIndex) continue; // both stay 0
    atLabel[row] = (dy[reduction === 'none' ? row : 0] / divisor) * record[4 * row + 3];
    scale[row] = Number.isNaN(record[4 * row + 1]) ? Number.NaN : atLabel[row];
  }
  // The logits of rows that count nothing may be anything, and still give 0.
  const multiply = scale.includes(0) ? 'MulNoNan' : 'Mul';
  const p = consume(softmax, (softmax) => runNative(backend, multiply, [softmax, rowTensor(scale, view)]));
  const flat = consume(p, (p) => reshape(p, [-1]));
  // In place, unlike TensorScatterSub: it touches the labels' elements and nothing else.
  const ofLabels = [labelElements(labels, view, ignoreIndex), tensor1d(atLabel)];
  const result = consume(flat, (flat) => runNative(backend, 'InplaceSub', [flat, ...ofLabels]));
  return consume(result, (result) => reshape(result, input.shape));
}
