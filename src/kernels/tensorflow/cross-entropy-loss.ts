import { exp, max, mul, reshape, sub, sum, type Tensor, type TensorInfo, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { type ClassView, classView } from '../../ops/class-view';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, LossOutputs, Tensors } from '../../ops/contracts';
import { coefficients, dense, perClass } from '../../ops/terms';
import { checkTargets } from '../check-targets';
import type { Values } from '../host/host';
import { divisorOf, lossShapes, RowRecords } from '../host/row-records';
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
  readonly records: Values;
  readonly upstream: Values;
  readonly divisor: number;
}

/**
 * TensorFlow makes the passes over the classes; what is left to do for each row is done here, as on the host. Neither
 * its SparseSoftmaxCrossEntropyWithLogits (slower than all of these passes) nor its LogSoftmax (which does not give
 * the maximum and the sum) is of use.
 */
export const crossEntropyLoss: Native['CrossEntropyLoss'] = (infos, attrs, backend) => {
  const inputs = infos as LossInputTensors;
  const { input, target, weight } = inputs;
  const view = classView(input.shape, attrs.dim);
  const shapes = lossShapes(input, attrs, view.rows);
  return tensorflow(backend, [target, weight], shapes, (_, [targets, weights], outputs) => {
    if (target.dtype === 'int32') checkTargets(targets, view.classes, attrs.ignoreIndex);
    const divisor = divisorOf(inputs, attrs, targets, weights);
    const records = new RowRecords(inputs, attrs, outputs, divisor);
    const gradient = scoped(() => {
      const { exps, ...sums } = reduceClasses(inputs, attrs, view, backend);
      addRows(records, sums, inputs, attrs, view, targets, weights);
      if (!attrs.onGradient) return null;
      const rows = { targets, weights, records: records.record, upstream: ONE, divisor };
      return shared(gradientOf(exps, inputs, attrs, view, rows, backend), backend);
    });
    if (gradient) attrs.onGradient?.(gradient); // whose scope keeps it, not ours
    records.reduce();
  }) as LossOutputs;
};

export const crossEntropyLossGrad: Native['CrossEntropyLossGrad'] = (infos, attrs, backend) => {
  const inputs = infos as Tensors<LossGradInputs>;
  const { input, target, weight, dy, record, divisor, gradient } = inputs;
  const view = classView(input.shape, attrs.dim);
  const [targets, weights, records, upstream, [d]] = [target, weight, record, dy, divisor].map(floats);
  if (gradient && upstream[0] === 1) return shared(gradient, backend);
  if (gradient && Number.isFinite(upstream[0])) return mul(gradient, dy); // not 0 * Infinity for an ignored row
  return tidy(() => {
    const rowMax = Float32Array.from({ length: view.rows }, (_, row) => records[row * 4]);
    const exps = consume(
      tidy(() => sub(dense(input, view), rowTensor(rowMax, view))),
      exp,
    );
    return gradientOf(exps, inputs, attrs, view, { targets, weights, records, upstream, divisor: d }, backend);
  });
};

/** For each row the maximum, the sum of `exp(x - max)`, and what `spreadOf` gives; besides `exp(x - max)` itself. */
function reduceClasses(inputs: LossInputTensors, attrs: LossAttrs, view: ClassView, backend: TensorflowBackend) {
  const x = dense(inputs.input, view);
  const rowMax = max(x, 1, true);
  const shifted = consume(x, (x) => sub(x, rowMax));
  const spread = scoped(() => spreadOf(shifted, inputs, attrs, view, backend));
  const exps = consume(shifted, exp);
  return { exps, max: floats(rowMax), sumExp: floats(sum(exps, 1)), ...spread };
}

/**
 * Where every class has a coefficient `c`: for each row the sum of `c * (x - max)`, `spread`, and with probabilities
 * that of `c`, `mass`. A coefficient of 0 gives exactly 0, also where -Infinity masks the class: hence MulNoNan.
 */
function spreadOf(
  shifted: Tensor,
  { target, weight }: LossInputTensors,
  attrs: LossAttrs,
  view: ClassView,
  backend: TensorflowBackend,
) {
  const spreadBy = (c: Tensor) => floats(sum(runNative(backend, 'MulNoNan', [shifted, c]), 1));
  if (target.dtype !== 'int32') {
    const qw = coefficients(target, weight, attrs, view);
    return { spread: spreadBy(qw), mass: floats(sum(qw, 1)) };
  }
  if (attrs.labelSmoothing === 0) return { spread: NONE, mass: NONE };
  return { spread: weight.size > 0 ? spreadBy(perClass(weight)) : floats(sum(shifted, 1)), mass: NONE };
}

type Sums = Record<'max' | 'sumExp' | 'spread' | 'mass', Values>;

function addRows(
  records: RowRecords,
  sums: Sums,
  { input, target }: LossInputTensors,
  { ignoreIndex, labelSmoothing: e }: LossAttrs,
  view: ClassView,
  targets: Values,
  weights: Values,
): void {
  const isIndex = target.dtype === 'int32';
  const label = isIndex ? labelsOf(input, targets, view, ignoreIndex) : NONE;
  const weightSum = sumOf(weights, view);
  for (let row = 0; row < view.rows; row++) {
    if (isIndex && targets[row] === ignoreIndex) {
      records.add(row, 0, 1, 0, 0, 0);
      continue;
    }
    const rowMax = sums.max[row];
    const sumExp = sums.sumExp[row];
    const logSum = Math.log(sumExp);
    const spread = sums.spread[row];
    if (!isIndex) {
      const mass = sums.mass[row];
      records.add(row, rowMax, sumExp, mass === 0 && spread === 0 ? 0 : mass * logSum - spread, 0, mass);
      continue;
    }
    const w = weights.length > 0 ? weights[targets[row]] : 1;
    const atLabel = (1 - e) * w;
    const likelihood = atLabel === 0 ? 0 : atLabel * (rowMax - label[row] + logSum);
    const smoothing = e > 0 ? (e / view.classes) * (weightSum * logSum - spread) : 0;
    records.add(row, rowMax, sumExp, likelihood, smoothing, w);
  }
}

/** The gradient by the input, of whose `exp(x - max)` it disposes. */
function gradientOf(
  exps: Tensor,
  { input, target, weight }: LossInputTensors,
  attrs: LossAttrs,
  view: ClassView,
  { targets, weights, records, upstream, divisor }: Rows,
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
    const w = records[row * 4 + 3];
    k[row] = upstream[reduction === 'none' ? row : 0] / divisor;
    atLabel[row] = k[row] * (1 - e) * w;
    const mass = !isIndex ? k[row] * w : e > 0 ? atLabel[row] + k[row] * (e / view.classes) * weightSum : atLabel[row];
    scale[row] = mass / records[row * 4 + 1];
  }
  // The logits of an ignored row may be anything, and still give 0.
  const multiply = anyIgnored ? 'MulNoNan' : 'Mul';
  const p = consume(exps, (exps) => runNative(backend, multiply, [exps, rowTensor(scale, view)]));
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
