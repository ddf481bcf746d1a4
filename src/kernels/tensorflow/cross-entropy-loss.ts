import { max, mul, reshape, sub, sum, type Tensor, type TensorInfo, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { type ClassView, classView } from '../../contract/class-view';
import { coefficients, dense, perClass } from '../../contract/formulas';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, LossOutputs, Tensors } from '../../contract/kernels';
import * as composite from '../composite/cross-entropy-loss';
import { divisorOf } from '../host/cross-entropy-loss';
import { again, type Values } from '../host/host';
import { finishRow, IGNORED, storeRecord } from '../host/record';
import { lossShapes, reduceLosses } from '../host/reduction';
import type { Totals } from '../host/row-kernels';
import { runNative, type TensorflowBackend, tensorflow, valuesOf } from './backend';
import { consume, labelElements, labelsOf, rowTensor, scoped } from './rows';

type Native = Kernels<TensorflowBackend>;
type LossInputTensors = Tensors<LossInputs>;

const NONE = new Float32Array(0);
/** The upstream gradient that a gradient is computed for along with the loss. */
const ONE = Float32Array.of(1);

/** What is known on the host of the rows. */
interface Rows {
  /** Class indices; none for probabilities. */
  readonly labels: Values;
  readonly weights: Values;
  readonly record: Values;
  readonly upstream: Values;
  readonly divisor: number;
  /** The sum of each row's coefficients, with probabilities. */
  readonly mass: Values;
}

/**
 * TensorFlow makes the passes over the classes; what is left to do for each row is done here, as on the host. Its
 * SparseSoftmaxCrossEntropyWithLogits is slower than Softmax and all other passes together.
 */
export const crossEntropyLoss: Native['CrossEntropyLoss'] = (infos, attrs, backend) => {
  const inputs = infos as LossInputTensors;
  const { input, target, weight } = inputs;
  const view = classView(input.shape, attrs.dim);
  const [labels, weights] = [attrs.target === 'indices' ? valuesOf(target) : NONE, valuesOf(weight)];
  const wantsGradient = attrs.wants === 'gradient' && attrs.reduction !== 'none';
  const shapes = lossShapes(input.shape, view.rows, wantsGradient ? { ...attrs, wants: 'loss' } : attrs);
  const gradients: TensorInfo[] = [];
  const outputs = tensorflow(backend, [], shapes, (_, __, [loss, given, divisorOut]) => {
    const divisor = divisorOf(view, attrs, labels, weights);
    const record = given ?? new Float32Array(4 * view.rows);
    const totals = scoped(() => {
      const { p, ...sums } = reduceClasses(inputs, attrs, view, backend);
      const totals = finishRows(record, sums, inputs, attrs, view, labels, weights);
      if (wantsGradient) {
        const rows = { labels, weights, record, upstream: ONE, divisor, mass: sums.mass };
        gradients.push(again(gradientOf(p, inputs, attrs, view, rows, backend), backend));
      }
      return totals;
    });
    if (divisorOut) divisorOut[0] = divisor;
    reduceLosses(loss, record, divisor, totals, attrs);
  });
  return [...outputs, ...gradients] as LossOutputs;
};

export const crossEntropyLossGrad: Native['CrossEntropyLossGrad'] = (infos, attrs, backend) => {
  const inputs = infos as Tensors<LossGradInputs>;
  const { input, target, weight } = inputs;
  const view = classView(input.shape, attrs.dim);
  const isIndices = attrs.target === 'indices';
  const [weights, record, upstream, [divisor]] = [weight, inputs.record, inputs.dy, inputs.divisor].map(valuesOf);
  return tidy(() => {
    const mass = isIndices ? NONE : scoped(() => valuesOf(sum(coefficients(target, weight, attrs, view), 1)));
    const rows = { labels: isIndices ? valuesOf(target) : NONE, weights, record, upstream, divisor, mass };
    return gradientOf(softmaxOf(dense(input, view), view, backend), inputs, attrs, view, rows, backend);
  });
};

/** By TensorFlow's own operation, where the gradient is. Ignored rows are 0 already, and stay so times what is finite. */
export const scaleGradient: Native['ScaleGradient'] = (inputs, attrs, backend) => {
  const { gradient, dy } = inputs as Tensors<typeof inputs>;
  const [k] = valuesOf(dy);
  if (k === 1) return again(gradient, backend);
  return Number.isFinite(k) ? mul(gradient, dy) : composite.scaleGradient(inputs, attrs, backend);
};

/** The softmax of a tensor in the class view, of which it disposes. */
function softmaxOf(x: Tensor, { outer, classes }: ClassView, backend: TensorflowBackend): Tensor {
  const rows = consume(x, (x) => reshape(x, [outer, classes]));
  const p = consume(rows, (rows) => runNative(backend, 'Softmax', [rows]));
  return consume(p, (p) => reshape(p, [outer, classes, 1]));
}

/** For each row the maximum, the sum of `exp(x - max)`, and what `sumCoefficients` gives; besides the softmax itself. */
function reduceClasses(inputs: LossInputTensors, attrs: LossAttrs, view: ClassView, backend: TensorflowBackend) {
  const x = dense(inputs.input, view);
  const rowMax = max(x, 1, true);
  const ofClasses = scoped(() => sumCoefficients(x, rowMax, inputs, attrs, view, backend));
  const p = softmaxOf(x, view, backend);
  const sumExp = valuesOf(max(p, 1)).map((p) => 1 / p);
  return { p, max: valuesOf(rowMax), sumExp, ...ofClasses };
}

/**
 * Where all classes have coefficients `g`: for each row the sum of `g * (x - max)`, and with probabilities that of `g`.
 * A coefficient of 0 gives exactly 0, also where -Infinity masks the class: hence MulNoNan.
 */
function sumCoefficients(
  x: Tensor,
  rowMax: Tensor,
  { target, weight }: LossInputTensors,
  attrs: LossAttrs,
  view: ClassView,
  backend: TensorflowBackend,
) {
  const isIndices = attrs.target === 'indices';
  if (isIndices && attrs.labelSmoothing === 0) return { minusProduct: NONE, mass: NONE };
  const shifted = sub(x, rowMax);
  const sumBy = (g: Tensor) => valuesOf(sum(runNative(backend, 'MulNoNan', [shifted, g]), 1));
  if (isIndices) {
    return { minusProduct: weight.size > 0 ? sumBy(perClass(weight)) : valuesOf(sum(shifted, 1)), mass: NONE };
  }
  const g = coefficients(target, weight, attrs, view);
  return { minusProduct: sumBy(g), mass: valuesOf(sum(g, 1)) };
}

type Sums = Record<'max' | 'sumExp' | 'minusProduct' | 'mass', Values>;

/** Makes the records of the rows. */
function finishRows(
  record: Values,
  sums: Sums,
  { input }: LossInputTensors,
  { target, ignoreIndex, labelSmoothing: e }: LossAttrs,
  view: ClassView,
  labels: Values,
  weights: Values,
): Totals {
  const isIndices = target === 'indices';
  const logits = isIndices ? labelsOf(input, labels, view, ignoreIndex) : NONE;
  // With indices all rows have the same coefficients besides their label's.
  const share = isIndices ? e / view.classes : 1;
  const massOfAll = share * sumOf(weights, view);
  const anyOfAll = e > 0 && (weights.length === 0 || weights.some((w) => w !== 0));
  let [likelihoods, smoothings] = [0, 0];
  for (let row = 0; row < view.rows; row++) {
    if (isIndices && labels[row] === ignoreIndex) {
      storeRecord(record, row, IGNORED);
      continue;
    }
    const product = e > 0 || !isIndices ? -share * sums.minusProduct[row] : 0;
    const mass = isIndices ? massOfAll : sums.mass[row];
    const isUsed = isIndices ? anyOfAll : mass !== 0 || product !== 0;
    const weight = weights.length > 0 ? weights[labels[row]] : 1;
    const label = isIndices ? { coefficient: (1 - e) * weight, x: logits[row], weight } : undefined;
    const finished = finishRow({ max: sums.max[row], sum: sums.sumExp[row], product, mass, isUsed }, label);
    storeRecord(record, row, finished);
    likelihoods += finished.likelihood;
    smoothings += finished.smoothing;
  }
  return { likelihoods, smoothings };
}

/** The gradient by the input, of whose softmax it disposes: `k * mass * softmax - k * g`. */
function gradientOf(
  softmax: Tensor,
  { input, target, weight }: LossInputTensors,
  attrs: LossAttrs,
  view: ClassView,
  { labels, weights, record, upstream, divisor, mass }: Rows,
  backend: TensorflowBackend,
): Tensor {
  const { ignoreIndex, labelSmoothing: e, reduction } = attrs;
  const isIndices = attrs.target === 'indices';
  const massOfAll = (e / view.classes) * sumOf(weights, view);
  const [scale, atLabel, k] = [0, 1, 2].map(() => new Float32Array(view.rows));
  for (let row = 0; row < view.rows; row++) {
    if (isIndices && labels[row] === ignoreIndex) continue; // all of its terms stay 0
    const [, massPerSum, , w] = record.subarray(row * 4, row * 4 + 4);
    k[row] = upstream[reduction === 'none' ? row : 0] / divisor;
    atLabel[row] = k[row] * (1 - e) * w;
    // The softmax is divided by the sum already; but without a softmax, or a coefficient, that is not so.
    const isPlain = massPerSum === 0 || Number.isNaN(massPerSum);
    scale[row] = k[row] * (isPlain ? massPerSum : isIndices ? (1 - e) * w + massOfAll : mass[row]);
  }
  // The logits of rows that count nothing may be anything, and still give 0.
  const multiply = scale.includes(0) ? 'MulNoNan' : 'Mul';
  const p = consume(softmax, (softmax) => runNative(backend, multiply, [softmax, rowTensor(scale, view)]));
  if (!isIndices) {
    const g = tidy(() => coefficients(target, weight, attrs, view, rowTensor(k, view)));
    return consume(
      consume(p, (p) => sub(p, g)),
      (dx) => reshape(dx, input.shape),
    );
  }
  const dx = e > 0 ? consume(p, (p) => sub(p, uniformTerms(weight, k, e, view))) : p;
  const flat = consume(dx, (dx) => reshape(dx, [-1]));
  // In place, unlike TensorScatterSub: it touches the labels' elements and nothing else.
  const ofLabels = [labelElements(labels, view, ignoreIndex), tensor1d(atLabel)];
  const result = consume(flat, (flat) => runNative(backend, 'InplaceSub', [flat, ...ofLabels]));
  return consume(result, (result) => reshape(result, input.shape));
}

/** What smoothing takes off every class of the rows: a share of `k`, times the class weight. */
function uniformTerms(weight: Tensor, k: Values, e: number, view: ClassView): Tensor {
  const share = rowTensor(
    k.map((k) => (k * e) / view.classes),
    view,
  );
  return weight.size > 0 ? mul(share, perClass(weight)) : share;
}

function sumOf(weights: Values, { classes }: ClassView): number {
  return weights.length > 0 ? weights.reduce((a, b) => a + b, 0) : classes;
}
