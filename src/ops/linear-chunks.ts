/** The linear loss, value and gradients, chunk by chunk: what `linear-cross-entropy.ts` makes an op of. */
import {
  backend,
  concat,
  equal,
  fill,
  gather,
  notEqual,
  ones,
  reshape,
  type Scalar,
  scalar,
  slice,
  stack,
  type Tensor,
  tensor,
  tensor1d,
  tidy,
  util,
  where,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { classView } from '../contract/class-view';
import { consume } from '../contract/consume';
import { nan, only, quotient, rowsWithAny, rowWeights } from '../contract/formulas';
import type { LossAttrs } from '../contract/kernels';
import { total } from '../contract/sum';
import { weighLabels } from '../kernels/host/labels';
import { knownValues, labelsForOps, mostElements } from '../kernels/known-values';
import { readOutputs } from './loss';
import { lossAndStats, probabilityStats } from './loss-and-stats';
import { runOp } from './run-op';

/** `[rows, features]`, `[classes, d1, ..., dK, features]`, `[classes, d1, ..., dK]` or `[0]`; the rest as of any loss. */
export type LinearTensors = {
  readonly [Name in 'input' | 'linearWeight' | 'linearBias' | 'target' | 'weight']: Tensor;
};

export interface LinearLossAttrs extends Pick<LossAttrs, 'target' | 'ignoreIndex' | 'reduction' | 'labelSmoothing'> {
  /** Rows whose logits are there at a time. */
  readonly batchChunkSize: number | undefined;
  /** Whether `Stats` are wanted as well. */
  readonly stats: boolean;
}

export const sizeOf = ({ input, linearWeight }: LinearTensors): number => input.size * linearWeight.size;

/**
 * The loss and its stats, if they are wanted; with an upstream gradient `dy`, of all rows or one a row, also the gradients
 * by input, weight and bias.
 */
export function inChunks(inputs: LinearTensors, attrs: LinearLossAttrs, dy: Tensor | undefined): Tensor[] {
  const { input, linearWeight, linearBias, target, weight } = inputs;
  const [rows, features] = input.shape;
  const shape = linearWeight.shape.slice(0, -1);
  if (sizeOf(inputs) === 0) {
    const results = lossAndStats({ input: zeros([rows, ...shape]), target, weight }, { ...attrs, dim: 1 });
    return [...results, ...[input, linearWeight, linearBias].map((x) => zerosLike(x))];
  }
  const units = util.sizeFromShape(shape);
  const [w, bias] = [shaped(linearWeight, [units, features]), shaped(linearBias, [linearBias.size])];
  const counting = countingRows(inputs, attrs);
  const divisor = attrs.reduction === 'mean' ? weightSum(inputs, attrs, counting.labels) : scalar(1);
  const lossOfChunk = chunkLoss(attrs, weight, divisor, dy);

  /** The losses of the chunks, and their stats; the gradients by their rows; and the sums of those by weight and bias. */
  const results: Tensor[][] = attrs.stats ? [[], [], []] : [[]];
  const byInput: Tensor[] = [];
  let sums = dy ? [w, shaped(bias, [bias.size, 1])].map((x) => zerosLike(x)) : [];
  const size = chunkRows(counting.count, features, units, attrs.batchChunkSize);
  for (let first = 0; first < counting.count; first += size) {
    const n = Math.min(size, counting.count - first);
    const take = (x: Tensor) => counting.take(x, first, n);
    const chunk = tidy(() => {
      const x = take(counting.input);
      const logits = consume(runOp<Tensor>('LinearLogits', { x, weight: w, bias }, {}), (y) =>
        shaped(y, [n, ...shape]),
      );
      const { results: ofChunk, byLogits } = lossOfChunk(logits, counting.takeTarget(first, n), take);
      if (!byLogits) return { ofChunk };
      const gradient = consume(byLogits, (g) => shaped(g, [n, units]));
      const byRows = runOp<Tensor>('LinearInputGrad', { gradient, weight: w }, {});
      const added = (sum: Tensor, x: Tensor) =>
        consume(sum, () => runOp<Tensor>('LinearWeightGrad', { sum, gradient, x }, {}));
      return { ofChunk, byRows, sums: [added(sums[0], x), bias.size > 0 ? added(sums[1], ones([n, 1])) : sums[1]] };
    });
    results.forEach((all, i) => void all.push(chunk.ofChunk[i]));
    if (!chunk.byRows) continue;
    byInput.push(chunk.byRows);
    sums = chunk.sums;
  }

  const rowShape = [rows, ...shape.slice(1)];
  const reduced =
    attrs.reduction === 'none'
      ? results.map((parts) => assemble(parts, rowShape, counting.places))
      : reduceChunks(results, divisor, attrs);
  if (!dy) return reduced;
  return [
    ...reduced,
    assemble(byInput, [rows, features], counting.places),
    shaped(sums[0], linearWeight.shape),
    shaped(sums[1], linearBias.shape),
  ];
}

/** Fewer rows than this, and a product would take longer to read the weights than to multiply them. */
const LEAST_CHUNK = 64;

/**
 * How many rows make a chunk. PyTorch's rule: it is worth it for at least as many rows as features, and more classes than
 * features; then its logits take about as much memory as all of the input. They always fit into what the device can hold.
 */
function chunkRows(rows: number, features: number, units: number, wanted: number | undefined): number {
  const isWorthIt = rows >= features && units > features;
  const asInput = 2 ** Math.ceil(Math.log2(Math.ceil(rows / Math.ceil(units / features))));
  const size = wanted ?? (isWorthIt ? Math.max(LEAST_CHUNK, asInput) : rows);
  return Math.max(1, Math.min(size, rows, Math.floor(mostElements(backend()) / units)));
}

/** The rows that are gone through: not those whose targets are all ignored, where the targets are known on the host. */
function countingRows({ input, target }: LinearTensors, attrs: LinearLossAttrs) {
  const [rows] = input.shape;
  const ofIndices = attrs.target === 'indices';
  const labels = ofIndices ? knownValues(target) : undefined;
  /** Where they are, if some are left out. */
  const places = labels && placesOfCounting(labels, rows, attrs.ignoreIndex);
  const take = (x: Tensor, first: number, n: number): Tensor => {
    if (places) return gather(x, tensor1d(places.subarray(first, first + n), 'int32'));
    return n === rows ? x : slice(x, first, n);
  };
  return {
    count: places?.length ?? rows,
    places,
    labels,
    input: ofIndices && !labels ? withoutIgnored(input, target, attrs) : input,
    /** The rows of a chunk, of a tensor that has all of them. */
    take,
    /** The same of the target, whose labels stay known. */
    takeTarget(first: number, n: number): Tensor {
      if (!labels || n === rows) return take(target, first, n);
      const size = labels.length / rows;
      const taken = new Int32Array(n * size);
      for (let i = 0; i < n; i++) {
        const at = (places?.[first + i] ?? first + i) * size;
        taken.set(labels.subarray(at, at + size), i * size);
      }
      return tensor(taken, [n, ...target.shape.slice(1)], 'int32');
    },
  };
}

/** Which rows have a target that is not ignored; `undefined` for all of them. */
function placesOfCounting(labels: ArrayLike<number>, rows: number, ignoreIndex: number): Int32Array | undefined {
  const size = labels.length / rows;
  const places = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    let i = row * size;
    while (i < (row + 1) * size && labels[i] === ignoreIndex) i++;
    if (i < (row + 1) * size) places[count++] = row;
  }
  return count === rows ? undefined : places.subarray(0, count);
}

/** Ignored rows may hold NaN, and 0 times that is no 0. */
export function withoutIgnored(input: Tensor, target: Tensor, { ignoreIndex }: LinearLossAttrs): Tensor {
  const [rows] = input.shape;
  const isLive = notEqual(reshape(labelsForOps(target), [rows, -1]), scalar(ignoreIndex, 'int32'));
  return only(rowsWithAny(isLive), input);
}

/** What the losses of all rows are divided by for their mean. */
function weightSum(
  { input, linearWeight, target, weight }: LinearTensors,
  { target: kind, ignoreIndex }: LinearLossAttrs,
  labels: Float32Array | undefined,
): Scalar {
  const view = classView([input.shape[0], ...linearWeight.shape.slice(0, -1)], 1);
  if (kind === 'probabilities') return scalar(view.rows);
  const weights = weight.size > 0 ? knownValues(weight) : undefined;
  // Then no device need be asked.
  const areKnown = labels && (weights || weight.size === 0);
  if (areKnown) return scalar(weighLabels(labels, weights, view.classes, ignoreIndex));
  return total(rowWeights(labelsForOps(target), weight, view, ignoreIndex));
}

/**
 * What finds the losses of a chunk, with an upstream gradient `dy` the gradient by its logits as well, written over them.
 * `take` takes its rows of what all rows have.
 */
function chunkLoss(attrs: LinearLossAttrs, weight: Tensor, divisor: Scalar, dy: Tensor | undefined) {
  const ofIndices = attrs.target === 'indices';
  const isReduced = attrs.reduction !== 'none';
  // What a chunk's sum gets, as a number if no device need be asked: then GPUs find value and gradient in one
  // sweep.
  const numberOf = (x: Tensor) => knownValues(x)?.[0] ?? Number.NaN;
  const known = dy && isReduced ? numberOf(dy) / numberOf(divisor) : Number.NaN;
  const isAlong = Number.isFinite(known);
  const upstream = dy && (isAlong ? scalar(known) : isReduced ? quotient(dy, divisor) : dy);
  const lossAttrs = {
    ...attrs,
    stats: attrs.stats && ofIndices,
    dim: 1,
    reduction: isReduced ? 'sum' : 'none',
    overwrites: true,
    wants: isAlong ? 'gradient' : upstream ? 'record' : 'loss',
    upstream: isAlong ? known : 1,
  };
  return (
    logits: Tensor,
    target: Tensor,
    take: (x: Tensor) => Tensor,
  ): { readonly results: Tensor[]; readonly byLogits?: Tensor } => {
    const inputs = { input: logits, target, weight };
    const outputs = runOp<Tensor[]>('CrossEntropyLoss', inputs, lossAttrs);
    const [result, made, one] = readOutputs(outputs, lossAttrs.stats);
    const results =
      attrs.stats && !ofIndices ? [...result, ...probabilityStats(logits, target, 1, attrs.reduction)] : result;
    if (!upstream) return { results };
    const byLogits = consume(logits, () => {
      if (!one) return made;
      const gradInputs = { ...inputs, dy: isReduced ? upstream : take(upstream), record: made, divisor: one };
      return runOp<Tensor>('CrossEntropyLossGrad', gradInputs, lossAttrs);
    });
    return { results, byLogits };
  };
}

/** The loss of all rows, and the stats, from the sums of the chunks. */
function reduceChunks(chunks: Tensor[][], divisor: Scalar, { reduction, labelSmoothing }: LinearLossAttrs): Tensor[] {
  const [sum, ...stats] = chunks.map((parts) => (parts.length === 0 ? scalar(0) : total(stack(parts))));
  if (reduction === 'sum') return [sum, ...stats];
  // PyTorch divides the likelihood and the smoothing each: 0 / 0 makes their sum NaN.
  const numerator = labelSmoothing > 0 ? where(equal(divisor, 0), nan(), sum) : sum;
  return [quotient(numerator, divisor), ...stats];
}

/** What the chunks have given, row by row, with 0 for those that were left out. */
function assemble(parts: Tensor[], shape: number[], places: Int32Array | undefined): Tensor {
  if (parts.length === 0) return fill(shape, 0, 'float32');
  const together = parts.length === 1 ? parts[0] : concat(parts);
  for (const part of parts) if (part !== together) part.dispose();
  if (!places) return together;
  const positions = new Int32Array(shape[0]).fill(places.length);
  places.forEach((row, i) => {
    positions[row] = i;
  });
  const withZeros = concat([together, zeros([1, ...shape.slice(1)])]);
  together.dispose();
  return gather(withZeros, tensor1d(positions, 'int32'));
}

/** The same tensor where it has that shape: TensorFlow.js counts the bytes of another one, though they are shared. */
const shaped = (x: Tensor, shape: number[]): Tensor => (util.arraysEqual(x.shape, shape) ? x : reshape(x, shape));
