import {
  argMax,
  cast,
  equal,
  exp,
  logicalAnd,
  notEqual,
  onesLike,
  scalar,
  type Tensor,
  where,
} from '@tensorflow/tfjs-core';
import { total } from '../contract/sum';
import { type Criterion, checkCriterion, lossFunction } from './criterion';
import { axisOf, type LayersFunction, type LayersOptions, layersFunction } from './layers-function';
import { perExample } from './per-example';

const accuracy = layersFunction('acc', (input, target, { ignoreIndex }, dim) => {
  const isIndex = target.dtype === 'int32';
  const label = isIndex ? target : argMax(target, dim);
  const counts = isIndex ? notEqual(target, scalar(ignoreIndex, 'int32')) : onesLike(cast(label, 'bool'));
  const hits = logicalAnd(equal(argMax(input, dim), label), counts);
  // Not a cast: that would leave integers in WebGPU's buffer, on which sums along a middle axis fail.
  const asFloat = (x: Tensor) => where(x, scalar(1), scalar(0));
  return perExample(asFloat(hits), total(asFloat(counts)));
});

const perplexity = layersFunction('perplexity', (input, target, criterion, dim) =>
  exp(lossFunction(criterion)(input, target, { ignoreIndex: criterion.ignoreIndex, dim })),
);

/**
 * The share of positions whose largest output is their label, as a metric for `model.compile`; ignored targets do not
 * count. Targets are class indices or probabilities, as for `layersLoss`. Its name in histories is `acc`, as of
 * Layers' own accuracy. `NaN` where all targets of a batch are ignored.
 */
export function layersAccuracy(criterion: Criterion, options?: LayersOptions): LayersFunction {
  checkCriterion(criterion);
  return accuracy(criterion, axisOf(criterion, options));
}

/**
 * `exp` of a batch's mean cross-entropy, ignored targets left out, without class weights or label smoothing: how many
 * classes the model is as uncertain between. Histories hold the mean over batches.
 */
export function layersPerplexity(criterion: Criterion, options?: LayersOptions): LayersFunction {
  checkCriterion(criterion);
  return perplexity(criterion, axisOf(criterion, options));
}
