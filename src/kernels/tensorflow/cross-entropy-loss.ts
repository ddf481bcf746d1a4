import { exp, max, mul, reshape, sub, sum, type Tensor, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { type ClassView, classView } from '../../ops/class-view';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, Tensors } from '../../ops/contracts';
import { coefficients, dense, perClass } from '../../ops/terms';
import { checkTargets } from '../check-targets';
import { RowRecords } from '../cpu/reduce';
import { asHost, runNative, type TensorflowBackend } from './backend';
import { consume, floats, labelElements, labelsOf, rowTensor, scoped } from './rows';

type Native = Kernels<TensorflowBackend>;
type LossInputTensors = Tensors<LossInputs>;

const NONE = new Float32Array(0);

/**
 * TensorFlow makes the passes over the classes; what is left to do for each row is done here, as on the host. Neither
 * its SparseSoftmaxCrossEntropyWithLogits (slower than all of these passes) nor its LogSoftmax (which does not give
 * the maximum and the sum) is of use.
 */
export const crossEntropyLoss: Native['CrossEntropyLoss'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs as LossInputTensors;
  const { ignoreIndex, labelSmoothing: e } = attrs;
  const view = classView(input.shape, attrs.dim);
  const isIndex = target.dtype === 'int32';
  const targets = floats(target);
  if (isIndex) checkTargets(targets, view.classes, ignoreIndex);
  const weights = floats(weight);
  const weightSum = sumOf(weights, view);
  const label = isIndex ? labelsOf(input, targets, view, ignoreIndex) : NONE;
  const rows = reduceClasses(inputs as LossInputTensors, attrs, view, backend);

  const records = new RowRecords(view.rows);
  for (let row = 0; row < view.rows; row++) {
    if (isIndex && targets[row] === ignoreIndex) {
      records.add(row, 0, 1, 0, 0, 0);
      continue;
    }
    const rowMax = rows.max[row];
    const sumExp = rows.sumExp[row];
    const logSum = Math.log(sumExp);
    const spread = rows.spread[row];
    if (isIndex) {
      const w = weights.length > 0 ? weights[targets[row]] : 1;
      const atLabel = (1 - e) * w;
      const likelihood = atLabel === 0 ? 0 : atLabel * (rowMax - label[row] + logSum);
      const smoothing = e > 0 ? (e / view.classes) * (weightSum * logSum - spread) : 0;
      records.add(row, rowMax, sumExp, likelihood, smoothing, w);
    } else {
      const mass = rows.mass[row];
      const loss = mass === 0 && spread === 0 ? 0 : mass * logSum - spread;
      records.add(row, rowMax, sumExp, loss, 0, mass);
    }
  }
  return records.outputs(asHost(backend), inputs, attrs);
};

/** For each row the maximum, the sum of `exp(x - max)`, and what `spreadOf` gives. */
function reduceClasses(inputs: LossInputTensors, attrs: LossAttrs, view: ClassView, backend: TensorflowBackend) {
  return scoped(() => {
    const x = dense(inputs.input, view);
    const rowMax = max(x, 1, true);
    const shifted = consume(x, (x) => sub(x, rowMax));
    const spread = scoped(() => spreadOf(shifted, inputs, attrs, view, backend));
    const sumExp = consume(consume(shifted, exp), (exps) => sum(exps, 1));
    return { max: floats(rowMax), sumExp: floats(sumExp), ...spread };
  });
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

export const crossEntropyLossGrad: Native['CrossEntropyLossGrad'] = (inputs, attrs, backend) => {
  const { input, target, weight, dy, record, divisor } = inputs as Tensors<LossGradInputs>;
  const { ignoreIndex, labelSmoothing: e, reduction } = attrs;
  const view = classView(input.shape, attrs.dim);
  const isIndex = target.dtype === 'int32';
  const [targets, weights, upstream, records, [d]] = [target, weight, dy, record, divisor].map(floats);
  const weightSum = sumOf(weights, view);

  const [rowMax, scale, atLabel, k] = [0, 1, 2, 3].map(() => new Float32Array(view.rows));
  let anyIgnored = false;
  for (let row = 0; row < view.rows; row++) {
    if (isIndex && targets[row] === ignoreIndex) {
      anyIgnored = true; // all of its terms stay 0
      continue;
    }
    const w = records[row * 4 + 3];
    k[row] = upstream[reduction === 'none' ? row : 0] / d;
    rowMax[row] = records[row * 4];
    atLabel[row] = k[row] * (1 - e) * w;
    const mass = !isIndex ? k[row] * w : e > 0 ? atLabel[row] + k[row] * (e / view.classes) * weightSum : atLabel[row];
    scale[row] = mass / records[row * 4 + 1];
  }

  return tidy(() => {
    // First what needs most memory on its way.
    const qw = isIndex ? null : tidy(() => coefficients(target, weight, attrs, view, rowTensor(k, view)));
    const shifted = tidy(() => sub(dense(input, view), rowTensor(rowMax, view)));
    // The logits of an ignored row may be anything, and still give 0.
    const multiply = anyIgnored ? 'MulNoNan' : 'Mul';
    const p = consume(consume(shifted, exp), (x) => runNative(backend, multiply, [x, rowTensor(scale, view)]));
    const spread = qw ?? (e > 0 ? spreadOver(weight, k, e, view) : null);
    const dx = spread ? consume(p, (p) => sub(p, spread)) : p;
    if (!isIndex) return consume(dx, (dx) => reshape(dx, input.shape));
    const flat = consume(dx, (dx) => reshape(dx, [-1]));
    // In place, unlike TensorScatterSub: it touches the labels' elements and nothing else.
    const labels = [labelElements(targets, view, ignoreIndex), tensor1d(atLabel)];
    const result = consume(flat, (flat) => runNative(backend, 'InplaceSub', [flat, ...labels]));
    return consume(result, (result) => reshape(result, input.shape));
  });
};

/** What smoothing takes off every class of the rows: a share of `k`, times the class weight. */
function spreadOver(weight: Tensor, k: Float32Array, e: number, view: ClassView): Tensor {
  const share = rowTensor(
    k.map((k) => (k * e) / view.classes),
    view,
  );
  return weight.size > 0 ? mul(share, perClass(weight)) : share;
}

function sumOf(weights: Float32Array, { classes }: ClassView): number {
  return weights.length > 0 ? weights.reduce((a, b) => a + b, 0) : classes;
}
