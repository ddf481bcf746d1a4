import {
  argMax,
  cast,
  customGrad,
  div,
  equal,
  greater,
  logicalAnd,
  maximum,
  mul,
  notEqual,
  scalar,
  type Tensor,
  util,
  where,
} from '@tensorflow/tfjs-core';
import { classView } from '../contract/class-view';
import { total } from '../contract/sum';
import { checkClassDim, checkFloat, checkIndexTarget, checkTensor } from '../functional/checks';
import { crossEntropyWithStats } from '../functional/cross-entropy';
import { type Criterion, isCrossEntropy, isPlain, lossFunction, optionsOf } from './criterion';
import { readTarget } from './target';

/** Targets and values of one output in one batch, as the functions of this package want them. */
export interface Batch {
  readonly criterion: Criterion;
  /** Logits, or log-probabilities for an NLLLoss. */
  readonly input: Tensor;
  /** Class indices, int32, or probabilities. */
  readonly target: Tensor;
  /** The class axis, from 0. */
  readonly dim: number;
}

/** What a loss and its metrics share of a batch: scalars, each computed once, when it is first asked for. */
export interface Measured extends Batch {
  /** The criterion's, with its own reduction; the one that is differentiated. */
  loss(): Tensor;
  /** How many rows count: those that are not ignored. */
  count(): Tensor;
  /** How many of those have their largest value at their label. */
  correct(): Tensor;
  /** The mean over the rows that count, without class weights or label smoothing; 0 if none does. */
  crossEntropy(): Tensor;
}

export function readBatch(criterion: Criterion, axis: number, yTrue: Tensor, values: Tensor): Batch {
  checkTensor(yTrue, 'yTrue');
  checkTensor(values, 'yPred');
  checkFloat(values, 'yPred', 'layersLoss');
  if (values.rank < 2) throw new Error(`Expected \`yPred\` to be a batch, [N, ..., C], got shape [${values.shape}].`);
  const dim = checkClassDim(axis, values.rank);
  const target = readTarget(yTrue, values, dim, criterion.ignoreIndex);
  // Also for metrics: TensorFlow.js would broadcast labels that do not fit, or say something else.
  if (!util.arraysEqual(target.shape, values.shape)) checkIndexTarget(values, target, dim);
  if (target.dtype !== 'int32' && !isCrossEntropy(criterion)) {
    throw new Error(
      `NLLLoss takes class indices, but the target has the output's shape [${target.shape}]. Train with class indices ` +
        `(see acceptIndexTargets), or with CrossEntropyLoss on probabilities.`,
    );
  }
  return { criterion, input: values, target, dim };
}

/**
 * The one place where a batch is measured. What only metrics ask for is computed without TensorFlow.js's tape, which
 * would keep, and find gradients of, what nobody differentiates.
 */
export function measure(batch: Batch): Measured {
  const { criterion, input, target, dim } = batch;
  const { ignoreIndex, reduction } = criterion;
  const isIndex = target.dtype === 'int32';
  const counted = () => notEqual(target, scalar(ignoreIndex, 'int32'));
  let computed: Tensor | undefined;

  // From one pass: the loss, and how many rows count and are right.
  const withStats = once(() => crossEntropyWithStats(input, target, { ...optionsOf(criterion), dim }));
  const hasStats = isCrossEntropy(criterion) && isIndex && reduction !== 'none';

  const loss = () => {
    computed ??= hasStats ? withStats().loss : lossFunction(criterion)(input, target, { ...optionsOf(criterion), dim });
    return computed;
  };
  const count = once(() => {
    if (hasStats) return withStats().count;
    return untaped(() => (isIndex ? howMany(counted()) : scalar(classView(input.shape, dim).rows)));
  });
  const correct = once(() => {
    if (hasStats) return withStats().correct;
    return untaped(() => {
      if (input.size === 0) return scalar(0); // not every backend's ops bear nothing
      const largest = argMax(input, dim);
      return howMany(isIndex ? logicalAnd(equal(largest, target), counted()) : equal(largest, argMax(target, dim)));
    });
  });
  const crossEntropy = once(() => {
    const rows = count();
    return untaped(() => {
      // The loss has it already, unless it has weights or smoothing.
      if (computed && isPlain(criterion)) {
        return reduction === 'sum' ? share(computed, rows) : zeroIfNone(computed, rows);
      }
      return zeroIfNone(lossFunction(criterion)(input, target, { ignoreIndex, dim }), rows);
    });
  });
  return { ...batch, loss, count, correct, crossEntropy };
}

/** `part / count`, 0 where nothing counts. */
export const share = (part: Tensor, count: Tensor): Tensor => div(part, maximum(count, 1));

/** A mean, which of nothing is NaN, as in PyTorch: 0 instead, so that histories stay finite. */
export const zeroIfNone = (mean: Tensor, count: Tensor): Tensor => where(greater(count, 0), mean, scalar(0));

/** How many are true. Of a copy: WebGPU cannot sum up what was cast. */
export const howMany = (x: Tensor): Tensor => total(mul(cast(x, 'float32'), 1));

/** What is computed once belongs to the scope of the first call: that of the batch, so not one inside of it. */
function once<T>(f: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= f();
    return value;
  };
}

const untaped = (f: () => Tensor): Tensor => customGrad(() => ({ value: f(), gradFunc: () => [] }))();
