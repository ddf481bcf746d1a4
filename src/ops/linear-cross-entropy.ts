import {
  add,
  backend,
  concat,
  engine,
  equal,
  fill,
  gather,
  matMul,
  type NamedTensorMap,
  notEqual,
  ones,
  pad,
  reshape,
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
import { detached, nan, only, quotient, rowsWithAny, rowWeights } from '../contract/formulas';
import type { LossAttrs } from '../contract/kernels';
import { total } from '../contract/sum';
import { knownValues, labelsForOps, mostElements } from '../kernels/known-values';
import { type LossAndStats, notDifferentiable } from './loss';
import { lossAndStats, probabilityStats } from './loss-and-stats';
import { runOp } from './run-op';
import { isDifferentiatedOnce, recall, saveForGradient } from './tape';

export { checkLabels } from '../kernels/known-values';

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

const INPUTS = ['input', 'linearWeight', 'linearBias', 'target', 'weight'];

/**
 * The cross-entropy of `logits = input linearWeight^T + linearBias`, without all logits at a time. A chunk of rows is
 * projected, its loss found, the gradient by its logits written over them, and used up at once: for the gradient by its
 * rows of the input, which is done then, and for its share of the others. So gradients are made along with the loss,
 * for an upstream gradient of 1, and scaled by the upstream later. Without a reduction each row has an upstream of its
 * own, which has to be there before rows are added up: then the chunks are gone through once more.
 *
 * What that cannot give, derivatives of the gradient and those by probabilities, is taken of all logits at a time.
 */
export function linearCrossEntropyOp(inputs: LinearTensors, attrs: LinearLossAttrs): LossAndStats {
  const { input, linearWeight, linearBias } = inputs;
  if (input.shape[1] === 0 && linearBias.size > 0) {
    // Of no features the bias is all there is: with one that is 0 it goes the same way.
    const widened = (x: Tensor) => pad(x, [...x.shape.slice(1).map((): [number, number] => [0, 0]), [0, 1]]);
    return linearCrossEntropyOp({ ...inputs, input: widened(input), linearWeight: widened(linearWeight) }, attrs);
  }
  const isTapeOn = engine().isTapeOn();
  if (isTapeOn && !isDifferentiatedOnce() && sizeOf(inputs) > 0) return ofAllLogits(inputs, attrs);
  return tidy(() => {
    const isReduced = attrs.reduction !== 'none';
    const isEmpty = sizeOf(inputs) === 0;
    const outputs = (engine() as unknown as WithFunctions).runKernelFunc({
      inputs,
      forwardFunc: () => inChunks(inputs, attrs, isTapeOn && isReduced ? scalar(1) : undefined),
      backwardsFunc: (dy, saved) => gradientsOf(dy, saved, attrs, isEmpty),
    });
    const result = outputs.slice(0, attrs.stats ? 3 : 1) as LossAndStats;
    const [input, linearWeight, linearBias] = outputs.slice(result.length);
    if (isTapeOn) {
      const made = isReduced && { byInput: input, byLinearWeight: linearWeight, byLinearBias: linearBias };
      const { linearWeight: _, ...others } = inputs;
      // With the gradients at hand, only those of probabilities need the weight.
      saveForGradient(
        { ...(isReduced && attrs.target === 'indices' && !isEmpty ? others : inputs), ...made },
        Object.keys(made),
      );
    }
    return result;
  });
}

/** TensorFlow.js's `customGrad`, whose function may have several outputs here: the engine would take them for leaked. */
interface WithFunctions {
  runKernelFunc(op: {
    inputs: NamedTensorMap;
    forwardFunc: () => Tensor[];
    backwardsFunc: (dy: Tensor, saved: Tensor[]) => Record<string, () => Tensor>;
  }): Tensor[];
}

const sizeOf = ({ input, linearWeight }: LinearTensors) => input.size * linearWeight.size;

function gradientsOf(
  dy: Tensor,
  saved: Tensor[],
  attrs: LinearLossAttrs,
  isEmpty: boolean,
): Record<string, () => Tensor> {
  const recalled = recall(saved, INPUTS);
  const inputs = recalled as unknown as LinearTensors;
  const plainly = (name: keyof LinearTensors) => () => {
    if (isEmpty) return zerosLike(inputs[name]);
    return derivativeOfAllLogits(inputs, name, dy, attrs);
  };
  const byTarget =
    attrs.target === 'probabilities'
      ? { target: plainly('target'), weight: plainly('weight') }
      : {
          target: notDifferentiable('LinearCrossEntropyLoss', 'target'),
          weight: notDifferentiable('LinearCrossEntropyLoss', 'weight'),
        };
  if (engine().isTapeOn() || isEmpty) {
    const [input, linearWeight, linearBias] = (['input', 'linearWeight', 'linearBias'] as const).map(plainly);
    return { input, linearWeight, linearBias, ...byTarget };
  }
  let made = recalled;
  if (attrs.reduction === 'none') {
    const [, byInput, byLinearWeight, byLinearBias] = inChunks(inputs, { ...attrs, stats: false }, dy);
    made = { byInput, byLinearWeight, byLinearBias };
  }
  const scaled = (gradient: Tensor, hasRows = false) => {
    if (attrs.reduction === 'none') return gradient;
    if (knownValues(dy)?.[0] === 1) return detached(gradient);
    const target = hasRows && inputs.target.size === gradient.shape[0] ? attrs.target : 'probabilities';
    const { ignoreIndex } = attrs;
    return runOp<Tensor>(
      'ScaleGradient',
      { gradient, dy, target: inputs.target },
      // As sums over classes, all elements are differences.
      { dim: gradient.rank - 1, target, ignoreIndex, labelSmoothing: 1, reduction: 'mean', upstream: 1 },
    );
  };
  return {
    input: () => scaled(made.byInput, true),
    linearWeight: () => scaled(made.byLinearWeight),
    linearBias: () => scaled(made.byLinearBias),
    ...byTarget,
  };
}

/** By TensorFlow.js's own ops and `crossEntropyLossOp`: what can be differentiated any number of times. */
function ofAllLogits(
  { input, linearWeight, linearBias, target, weight }: LinearTensors,
  attrs: LinearLossAttrs,
): LossAndStats {
  const [rows, features] = input.shape;
  const shape = [rows, ...linearWeight.shape.slice(0, -1)];
  const products = matMul(
    attrs.target === 'indices' ? withoutIgnored(input, target, attrs) : input,
    reshape(linearWeight, [-1, features]),
    false,
    true,
  );
  const logits = linearBias.size > 0 ? add(products, reshape(linearBias, [-1])) : products;
  return lossAndStats({ input: reshape(logits, shape), target, weight }, { ...attrs, dim: 1 });
}

/** Ignored rows may hold NaN, and 0 times that is no 0. */
function withoutIgnored(input: Tensor, target: Tensor, { ignoreIndex }: LinearLossAttrs): Tensor {
  const [rows] = input.shape;
  const isLive = notEqual(reshape(labelsForOps(target), [rows, -1]), scalar(ignoreIndex, 'int32'));
  return only(rowsWithAny(isLive), input);
}

function derivativeOfAllLogits(inputs: LinearTensors, name: keyof LinearTensors, dy: Tensor, attrs: LinearLossAttrs) {
  const { state } = engine();
  // Outside of all gradients TensorFlow.js would begin a new tape, and lose the one that is being read.
  state.gradientDepth++;
  try {
    return engine().gradients(() => ofAllLogits(inputs, attrs)[0], [inputs[name]], dy).grads[0];
  } finally {
    state.gradientDepth--;
  }
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

/**
 * The loss, and with an upstream gradient `dy`, of all rows or one a row, the gradients by input, weight and bias. Rows
 * whose targets are all ignored are left out where the targets are known on the host.
 */
function inChunks(inputs: LinearTensors, attrs: LinearLossAttrs, dy: Tensor | undefined): Tensor[] {
  const { input, linearWeight, linearBias, target, weight } = inputs;
  const { batchChunkSize, ...rest } = attrs;
  const { ignoreIndex, reduction, labelSmoothing } = attrs;
  const [rows, features] = input.shape;
  const shape = linearWeight.shape.slice(0, -1);
  if (sizeOf(inputs) === 0) {
    const results = lossAndStats({ input: zeros([rows, ...shape]), target, weight }, { ...attrs, dim: 1 });
    return [...results, ...[input, linearWeight, linearBias].map((x) => zeros(x.shape))];
  }
  const units = util.sizeFromShape(shape);
  const ofIndices = attrs.target === 'indices';
  const labels = ofIndices ? knownValues(target) : undefined;
  const live = labels && countingRows(labels, rows, ignoreIndex);
  const count = live?.length ?? rows;
  const x = ofIndices && !labels ? withoutIgnored(input, target, attrs) : input;
  const [w, bias] = [shaped(linearWeight, [units, features]), shaped(linearBias, [linearBias.size])];

  const isReduced = reduction !== 'none';
  const view = classView([rows, ...shape], 1);
  const weightSum = () => {
    if (!ofIndices) return scalar(view.rows);
    const isKnown = labels && weight.size === 0; // then no device need be asked
    if (isKnown) return scalar(labels.filter((label: number) => label !== ignoreIndex).length);
    return total(rowWeights(target, weight, view, ignoreIndex));
  };
  const divisor = reduction === 'mean' ? weightSum() : scalar(1);
  // What a chunk's sum gets, as a number if it can be had without asking a device: then value and gradient are one sweep.
  const numberOf = (x: Tensor) => knownValues(x)?.[0] ?? Number.NaN;
  const upstream = dy && isReduced ? numberOf(dy) / numberOf(divisor) : Number.NaN;
  const isAlong = Number.isFinite(upstream);
  const chunkUpstream = dy && (isAlong ? scalar(upstream) : isReduced ? quotient(dy, divisor) : dy);

  /** The rows of a chunk, of a tensor that has all of them. */
  const take = (x: Tensor, first: number, n: number): Tensor => {
    if (live) return gather(x, tensor1d(live.subarray(first, first + n), 'int32'));
    return n === rows ? x : slice(x, [first, ...x.shape.slice(1).fill(0)], [n, ...x.shape.slice(1)]);
  };
  const takeLabels = (first: number, n: number): Tensor => {
    if (!live || !labels) return take(target, first, n);
    const size = labels.length / rows;
    const taken = new Int32Array(n * size);
    for (let i = 0; i < n; i++) {
      const at = live[first + i] * size;
      taken.set(labels.subarray(at, at + size), i * size);
    }
    return tensor(taken, [n, ...target.shape.slice(1)], 'int32');
  };
  const lossAttrs = {
    ...rest,
    stats: attrs.stats && ofIndices,
    dim: 1,
    reduction: isReduced ? 'sum' : 'none',
    overwrites: true,
    upstream: isAlong ? upstream : 1,
  };
  /** The losses of the chunks, and their stats where those are wanted. */
  const results: Tensor[][] = attrs.stats ? [[], [], []] : [[]];
  const byInput: Tensor[] = [];
  let sums = dy ? [fill([units, features], 0, 'float32'), fill([bias.size, 1], 0, 'float32')] : [];
  const size = chunkRows(count, features, units, batchChunkSize);
  for (let first = 0; first < count; first += size) {
    const n = Math.min(size, count - first);
    const made = tidy((): Tensor[] => {
      const xs = take(x, first, n);
      const logits = consume(runOp<Tensor>('LinearLogits', { x: xs, weight: w, bias }, {}), (logits) =>
        shaped(logits, [n, ...shape]),
      );
      const lossInputs = { input: logits, target: takeLabels(first, n), weight };
      const wants = isAlong ? 'gradient' : chunkUpstream ? 'record' : 'loss';
      const outputs = runOp<Tensor[]>('CrossEntropyLoss', lossInputs, { ...lossAttrs, wants });
      const stats = () => (ofIndices ? outputs.splice(-2) : probabilityStats(logits, lossInputs.target, 1, reduction));
      const ofStats = attrs.stats ? stats() : [];
      const [loss, second, one] = outputs;
      const ofChunk = [loss, ...ofStats];
      if (!chunkUpstream) return ofChunk;
      const ofRows = isReduced ? chunkUpstream : take(chunkUpstream, first, n);
      const byLogits = consume(logits, () => {
        if (!one) return second;
        const gradInputs = { ...lossInputs, dy: ofRows, record: second, divisor: one };
        return runOp<Tensor>('CrossEntropyLossGrad', gradInputs, { ...lossAttrs, wants });
      });
      const gradient = consume(byLogits, (gradient) => shaped(gradient, [n, units]));
      const byRows = runOp<Tensor>('LinearInputGrad', { x: gradient, weight: w }, {});
      const added = sums.map((sum, i) =>
        sum.size === 0 ? sum : runOp<Tensor>('LinearWeightGrad', { sum, gradient, x: i === 0 ? xs : ones([n, 1]) }, {}),
      );
      return [...ofChunk, byRows, ...added];
    });
    results.forEach((all, i) => void all.push(made[i]));
    if (!chunkUpstream) continue;
    const [byRows, ...added] = made.slice(results.length);
    byInput.push(byRows);
    sums.forEach((sum, i) => {
      if (sum !== added[i]) sum.dispose();
    });
    sums = added;
  }

  const gradients = dy
    ? [
        assemble(byInput, [rows, features], live),
        shaped(sums[0], linearWeight.shape),
        shaped(sums[1], linearBias.shape),
      ]
    : [];
  if (!isReduced) {
    const rowShape = [rows, ...shape.slice(1)];
    return [...results.map((parts) => assemble(parts, rowShape, live)), ...gradients];
  }
  const [sum, ...stats] = results.map((parts) => (parts.length === 0 ? scalar(0) : total(stack(parts))));
  if (reduction === 'sum') return [sum, ...stats, ...gradients];
  // PyTorch divides the likelihood and the smoothing each: 0 / 0 makes their sum NaN.
  const numerator = labelSmoothing > 0 ? where(equal(divisor, 0), nan(), sum) : sum;
  return [quotient(numerator, divisor), ...stats, ...gradients];
}

/** Which rows have a target that is not ignored; `undefined` for all of them. */
function countingRows(labels: ArrayLike<number>, rows: number, ignoreIndex: number): Int32Array | undefined {
  const size = labels.length / rows;
  const counting = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    let i = row * size;
    while (i < (row + 1) * size && labels[i] === ignoreIndex) i++;
    if (i < (row + 1) * size) counting[count++] = row;
  }
  return count === rows ? undefined : counting.subarray(0, count);
}

/** What the chunks have given, row by row, with 0 for those that were left out. */
function assemble(parts: Tensor[], shape: number[], live: Int32Array | undefined): Tensor {
  if (parts.length === 0) return fill(shape, 0, 'float32');
  const together = parts.length === 1 ? parts[0] : concat(parts);
  if (parts.length > 1) for (const part of parts) part.dispose();
  if (!live) return together;
  const places = new Int32Array(shape[0]).fill(live.length);
  live.forEach((row, i) => {
    places[row] = i;
  });
  const withZeros = concat([together, zeros([1, ...shape.slice(1)])]);
  together.dispose();
  return gather(withZeros, tensor1d(places, 'int32'));
}

/** The same tensor where it has that shape: TensorFlow.js counts the bytes of another one, though they are shared. */
const shaped = (x: Tensor, shape: number[]): Tensor => (util.arraysEqual(x.shape, shape) ? x : reshape(x, shape));

/** The targets of sequences from a position on, none if there is no such position; known labels stay known. */
export function sliceTarget(target: Tensor, shift: number): Tensor {
  const [sequences, length, ...classes] = target.shape;
  const size = Math.max(0, length - shift);
  const labels = classes.length === 0 ? knownValues(target) : undefined;
  if (labels)
    return tensor(
      labels.filter((_, i) => i % length >= shift),
      [sequences, size],
      'int32',
    );
  return slice(target, [0, length - size]);
}
