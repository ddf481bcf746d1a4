import { max, mul, reshape, sub, sum, type Tensor, type TensorInfo, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { type ClassView, classView } from '../../contract/class-view';
import { coefficients, dense, perClass } from '../../contract/formulas';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, LossOutputs, Tensors } from '../../contract/kernels';
import type { Values } from '../host/host';
import { weighLabels, weightOf } from '../host/labels';
import { lossShapes, reduceLosses } from '../host/losses';
import type { Totals } from '../host/rows';
import { runNative, type TensorflowBackend, tensorflow } from './backend';
import { consume, floats, labelElements, labelsOf, rowTensor, scoped } from './rows';

type Native = Kernels<TensorflowBackend>;
type LossInputTensors = Tensors<LossInputs>;

const NONE = new Float32Array(0);
/** The upstream gradient that a gradient is computed for along with the loss. */
const ONE = Float32Array.of(1);

/** What both kernels know of the rows. */
interface Rows {
  readonly targets: Values;
  readonly weights: Values;
  readonly record: Values;
  readonly upstream: Values;
  readonly divisor: number;
}

/**
 * TensorFlow makes the passes over the classes; what is left to do for each row is done here, as on the host. Its
 * SparseSoftmaxCrossEntropyWithLogits is slower than Softmax and all other passes together.
 */
export const crossEntropyLoss: Native['CrossEntropyLoss'] = (infos, attrs, backend) => {
  const inputs = infos as LossInputTensors;
  const { input, target, weight } = inputs;
  const { along, reduction, ignoreIndex } = attrs;
  const view = classView(input.shape, attrs.dim);
  const shapes = lossShapes(input, attrs, view.rows);
  return tensorflow(backend, [target, weight], shapes, (_, [targets, weights], outputs) => {
    const [loss, record, divisor] = outputs;
    const isIndex = target.dtype === 'int32';
    const rowWeights = isIndex ? weighLabels(targets, weights, view.classes, ignoreIndex) : view.rows;
    divisor[0] = reduction === 'mean' ? rowWeights : 1;
    const totals = scoped(() => {
      const { p, ...sums } = reduceClasses(inputs, attrs, view, backend);
      const totals = finishRows(record, sums, inputs, attrs, view, targets, weights);
      if (along) {
        const rows = { targets, weights, record, upstream: ONE, divisor: divisor[0] };
        along.gradient = shared(gradientOf(p, inputs, attrs, view, rows, backend), backend);
      }
      return totals;
    });
    reduceLosses(loss, record, divisor[0], totals, attrs);
  }) as LossOutputs;
};

export const crossEntropyLossGrad: Native['CrossEntropyLossGrad'] = (infos, attrs, backend) => {
  const inputs = infos as Tensors<LossGradInputs>;
  const { input, target, weight, dy, record, divisor, gradient } = inputs;
  // A gradient that is 0 somewhere, as in ignored rows, is so whatever the upstream gradient.
  if (gradient) return runNative(backend, 'MulNoNan', [dy, gradient]);
  const view = classView(input.shape, attrs.dim);
  const [targets, weights, records, upstream, [d]] = [target, weight, record, dy, divisor].map(floats);
  return tidy(() => {
    const rows = { targets, weights, record: records, upstream, divisor: d };
    return gradientOf(softmaxOf(dense(input, view), view, backend), inputs, attrs, view, rows, backend);
  });
};

/** The softmax of a tensor in the class view, of which it disposes. */
function softmaxOf(x: Tensor, { outer, classes }: ClassView, backend: TensorflowBackend): Tensor {
  const rows = consume(x, (x) => reshape(x, [outer, classes]));
  const p = consume(rows, (rows) => runNative(backend, 'Softmax', [rows]));
  return consume(p, (p) => reshape(p, [outer, classes, 1]));
}

/** For each row the maximum, the sum of `exp(x - max)`, and what `spreadOf` gives; besides the softmax itself. */
function reduceClasses(inputs: LossInputTensors, attrs: LossAttrs, view: ClassView, backend: TensorflowBackend) {
  const x = dense(inputs.input, view);
  const rowMax = max(x, 1, true);
  const spread = scoped(() => spreadOf(x, rowMax, inputs, attrs, view, backend));
  const p = softmaxOf(x, view, backend);
  const sumExp = floats(max(p, 1)).map((p) => 1 / p);
  return { p, max: floats(rowMax), sumExp, ...spread };
}

/**
 * Where every class has a coefficient `c`: for each row the sum of `c * (x - max)`, `spread`, and with probabilities
 * that of `c`, `mass`. A coefficient of 0 gives exactly 0, also where -Infinity masks the class: hence MulNoNan.
 */
function spreadOf(
  x: Tensor,
  rowMax: Tensor,
  { target, weight }: LossInputTensors,
  attrs: LossAttrs,
  view: ClassView,
  backend: TensorflowBackend,
) {
  const isIndex = target.dtype === 'int32';
  if (isIndex && attrs.labelSmoothing === 0) return { spread: NONE, mass: NONE };
  const shifted = sub(x, rowMax);
  const spreadBy = (c: Tensor) => floats(sum(runNative(backend, 'MulNoNan', [shifted, c]), 1));
  if (isIndex) return { spread: weight.size > 0 ? spreadBy(perClass(weight)) : floats(sum(shifted, 1)), mass: NONE };
  const qw = coefficients(target, weight, attrs, view);
  return { spread: spreadBy(qw), mass: floats(sum(qw, 1)) };
}

type Sums = Record<'max' | 'sumExp' | 'spread' | 'mass', Values>;

/** Completes the records of the rows. */
function finishRows(
  record: Values,
  sums: Sums,
  { input, target }: LossInputTensors,
  { ignoreIndex, labelSmoothing: e }: LossAttrs,
  view: ClassView,
  targets: Values,
  weights: Values,
): Totals {
  const isIndex = target.dtype === 'int32';
  const label = isIndex ? labelsOf(input, targets, view, ignoreIndex) : NONE;
  const weightSum = sumOf(weights, view);
  let [likelihoods, smoothings] = [0, 0];
  for (let row = 0; row < view.rows; row++) {
    if (isIndex && targets[row] === ignoreIndex) {
      record.set([0, 1, 0, 0], row * 4);
      continue;
    }
    const rowMax = sums.max[row];
    const sumExp = sums.sumExp[row];
    const logSum = Math.log(sumExp);
    const spread = sums.spread[row];
    const mass = isIndex ? weightOf(targets[row], weights, ignoreIndex) : sums.mass[row];
    let likelihood = mass === 0 && spread === 0 ? 0 : mass * logSum - spread;
    let smoothing = 0;
    if (isIndex) {
      const atLabel = (1 - e) * mass;
      likelihood = atLabel === 0 ? 0 : atLabel * (rowMax - label[row] + logSum);
      smoothing = e > 0 ? (e / view.classes) * (weightSum * logSum - spread) : 0;
    }
    record.set([rowMax, sumExp, likelihood + smoothing, mass], row * 4);
    likelihoods += likelihood;
    smoothings += smoothing;
  }
  return [likelihoods, smoothings];
}

/** The gradient by the input, of whose softmax it disposes. */
function gradientOf(
  softmax: Tensor,
  { input, target, weight }: LossInputTensors,
  attrs: LossAttrs,
  view: ClassView,
  { targets, weights, record, upstream, divisor }: Rows,
  backend: TensorflowBackend,
): Tensor {
  const { ignoreIndex, labelSmoothing: e, reduction } = attrs;
  const isIndex = target.dtype === 'int32';
  const weightSum = sumOf(weights, view);
  const [scale, atLabel, k] = [0, 1, 2].map(() => new Float32Array(view.rows));
  let anyIgnored = false;
  for (let row = 0; row < view.rows; row++) {
    if (isIndex && targets[row] === ignoreIndex) {
      anyIgnored = true; // all of its terms stay 0
      continue;
    }
    const w = record[row * 4 + 3];
    k[row] = upstream[reduction === 'none' ? row : 0] / divisor;
    atLabel[row] = k[row] * (1 - e) * w;
    scale[row] = !isIndex ? k[row] * w : e > 0 ? atLabel[row] + k[row] * (e / view.classes) * weightSum : atLabel[row];
  }
  // The logits of an ignored row may be anything, and still give 0.
  const multiply = anyIgnored ? 'MulNoNan' : 'Mul';
  const p = consume(softmax, (softmax) => runNative(backend, multiply, [softmax, rowTensor(scale, view)]));
  if (!isIndex) {
    const qw = tidy(() => coefficients(target, weight, attrs, view, rowTensor(k, view)));
    return consume(
      consume(p, (p) => sub(p, qw)),
      (dx) => reshape(dx, input.shape),
    );
  }
  const dx = e > 0 ? consume(p, (p) => sub(p, spreadOver(weight, k, e, view))) : p;
  const flat = consume(dx, (dx) => reshape(dx, [-1]));
  // In place, unlike TensorScatterSub: it touches the labels' elements and nothing else.
  const labels = [labelElements(targets, view, ignoreIndex), tensor1d(atLabel)];
  const result = consume(flat, (flat) => runNative(backend, 'InplaceSub', [flat, ...labels]));
  return consume(result, (result) => reshape(result, input.shape));
}

/** What smoothing takes off every class of the rows: a share of `k`, times the class weight. */
function spreadOver(weight: Tensor, k: Values, e: number, view: ClassView): Tensor {
  const share = rowTensor(
    k.map((k) => (k * e) / view.classes),
    view,
  );
  return weight.size > 0 ? mul(share, perClass(weight)) : share;
}

function sumOf(weights: Values, { classes }: ClassView): number {
  return weights.length > 0 ? weights.reduce((a, b) => a + b, 0) : classes;
}

/** The same data once more: it outlives the tensor. */
function shared({ dataId, shape, dtype }: Tensor, backend: TensorflowBackend): TensorInfo {
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}
