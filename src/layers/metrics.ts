import {
  argMax,
  equal,
  exp,
  lessEqual,
  logicalAnd,
  logicalNot,
  max,
  mul,
  notEqual,
  range,
  reshape,
  scalar,
  sum,
  type Tensor,
  where,
} from '@tensorflow/tfjs-core';
import { keptShape } from '../contract/class-view';
import { expected } from '../functional/errors';
import { type Criterion, checkCriterion, DEFAULT } from './criterion';
import { axisOf, type LayersFunction, type LayersOptions, layersFunction } from './layers-function';
import { howMany, type Measured, share } from './measure';

/** What a metric makes of a batch. */
export type Metric = (measured: Measured) => Tensor;

export const accuracy: Metric = ({ correct, count }) => share(correct(), count());

export const crossEntropy: Metric = (measured) => measured.crossEntropy();

export const perplexity: Metric = (measured) => exp(measured.crossEntropy());

/** A NaN is larger than nothing, and nothing is smaller than it. */
const topK =
  (k: number): Metric =>
  ({ criterion, input, target, dim, count }) => {
    if (input.size === 0) return scalar(0); // not every backend's ops bear nothing
    const isIndex = target.dtype === 'int32';
    const label = isIndex ? target : argMax(target, dim);
    const classes = range(0, input.shape[dim], 1, 'int32');
    const along = input.shape.map((size, axis) => (axis === dim ? size : 1));
    const isLabel = equal(reshape(classes, along), reshape(label, keptShape(input.shape, dim)));
    const lowest = mul(scalar(-3e38), 3e38); // -Infinity, which in debug mode cannot be uploaded
    const atLabel = max(where(isLabel, input, lowest), dim, true);
    const larger = sum(
      where(logicalAnd(logicalNot(lessEqual(input, atLabel)), logicalNot(isLabel)), scalar(1), scalar(0)),
      dim,
    );
    const isCorrect = lessEqual(larger, k - 1);
    const counts = isIndex
      ? logicalAnd(isCorrect, notEqual(target, scalar(criterion.ignoreIndex, 'int32')))
      : isCorrect;
    return share(howMany(counts), count());
  };

const layersAccuracyOf = layersFunction('acc', accuracy);
const layersPerplexityOf = layersFunction('perplexity', perplexity);

/**
 * The share of positions whose largest output is their label, between 0 and 1, as a metric for `model.compile`; ignored targets
 * do not count. Targets are class indices or probabilities, as for {@link layersLoss}. Its name in histories is `acc`, as of
 * Layers' own accuracy. 0 where all targets of a batch are ignored.
 *
 * @param criterion Of whose targets to take account: its `ignoreIndex` and its class axis.
 * @param options The class axis, if it is another than the criterion's.
 * @returns One and the same function for a criterion and axis.
 * @throws TypeError for what is no criterion, and for an axis that is no integer.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { CrossEntropyLoss } from 'tfjs-cross-entropy';
 * import { layersAccuracy } from 'tfjs-cross-entropy/layers';
 *
 * const accuracy = layersAccuracy(new CrossEntropyLoss({ ignoreIndex: 0 }));
 * accuracy(tf.tensor1d([0, 1, 2], 'int32'), tf.tensor2d([[9, 0, 0], [0, 9, 0], [0, 9, 0]])).print(); // 0.5
 * ```
 *
 * @see {@link topKAccuracy} for the label among the largest few.
 * @see {@link compileWithLoss}, where the name `'accuracy'` is this.
 */
export function layersAccuracy(criterion: Criterion, options?: LayersOptions): LayersFunction {
  checkCriterion(criterion);
  return layersAccuracyOf(criterion, axisOf(criterion, options, 'layersAccuracy'));
}

/**
 * `exp` of a batch's mean cross-entropy, ignored targets left out, without class weights or label smoothing: how many classes
 * the model is as uncertain between, from 1. As a metric for `model.compile`; histories hold the mean over batches. 1 where all
 * targets of a batch are ignored.
 *
 * @param criterion Of whose targets to take account: its `ignoreIndex` and its class axis.
 * @param options The class axis, if it is another than the criterion's.
 * @returns One and the same function for a criterion and axis.
 * @throws TypeError for what is no criterion, and for an axis that is no integer.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { CrossEntropyLoss } from 'tfjs-cross-entropy';
 * import { layersPerplexity } from 'tfjs-cross-entropy/layers';
 *
 * const perplexity = layersPerplexity(new CrossEntropyLoss());
 * perplexity(tf.tensor1d([1], 'int32'), tf.tensor2d([[0, 0, 0, 0]])).print(); // 4
 * ```
 *
 * @see {@link compileWithLoss}, where the name `'perplexity'` is this.
 */
export function layersPerplexity(criterion: Criterion, options?: LayersOptions): LayersFunction {
  checkCriterion(criterion);
  return layersPerplexityOf(criterion, axisOf(criterion, options, 'layersPerplexity'));
}

const madeOf = new Map<number, ReturnType<typeof layersFunction>>();

/**
 * The share of positions whose label is among their `k` largest outputs, between 0 and 1, as a metric for `model.compile`; of
 * equal outputs the label counts as the larger; ignored targets do not count. Its name in histories is `top5Accuracy` for 5.
 *
 * @param k How many outputs: a whole number from 1.
 * @param criterion Of whose targets to take account, as for {@link layersAccuracy}. May be left out where the output's loss is
 *     a criterion's: the metric is of that one then.
 * @param options The class axis, if it is another than the criterion's.
 * @returns One and the same function for `k`, a criterion and axis.
 * @throws TypeError for a `k` that is no whole number from 1, for what is no criterion, and for an axis that is no integer.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { topKAccuracy } from 'tfjs-cross-entropy/layers';
 *
 * const accuracy = topKAccuracy(2);
 * accuracy(tf.tensor1d([0, 1], 'int32'), tf.tensor2d([[3, 2, 1], [3, 1, 2]])).print(); // 0.5
 * ```
 *
 * @see {@link layersAccuracy} for the largest output alone.
 */
export function topKAccuracy(k: number, criterion: Criterion = DEFAULT, options?: LayersOptions): LayersFunction {
  if (!Number.isInteger(k) || k < 1) throw expected('`k`', 'a whole number from 1', k);
  checkCriterion(criterion);
  if (!madeOf.has(k)) madeOf.set(k, layersFunction(`top${k}Accuracy`, topK(k)));
  return madeOf.get(k)!(criterion, axisOf(criterion, options, 'topKAccuracy'));
}
