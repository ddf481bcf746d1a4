import { type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { classView } from '../contract/class-view';
import { rowWeights } from '../contract/formulas';
import { total } from '../contract/sum';
import { type Criterion, checkCriterion, isCrossEntropy, lossFunction } from './criterion';
import { axisOf, type LayersFunction, type LayersOptions, layersFunction } from './layers-function';
import { perExample } from './per-example';

const loss = layersFunction('loss', (input, target, criterion, dim) => {
  const { ignoreIndex, reduction } = criterion;
  const isIndex = target.dtype === 'int32';
  if (!isIndex && !isCrossEntropy(criterion)) {
    throw new Error(
      `NLLLoss takes class indices, but the target has the output's shape [${target.shape}]. Train with class indices ` +
        `(see acceptIndexTargets), or with CrossEntropyLoss on probabilities.`,
    );
  }
  const options = criterion.callOptions();
  const weight = (options.weight as Tensor | undefined) ?? tensor1d([], 'float32');
  const rows = lossFunction(criterion)(input, target, {
    ...options,
    reduction: 'none',
    dim,
    ...(isCrossEntropy(criterion) && { labelSmoothing: criterion.labelSmoothing }),
  });
  if (reduction === 'sum') return perExample(rows, 1);
  const view = classView(input.shape, dim);
  return perExample(rows, isIndex ? total(rowWeights(target, weight, view, ignoreIndex)) : view.rows);
});

/**
 * A criterion as a loss for `model.compile({ loss })`. Its value is PyTorch's for each batch: with class weights,
 * ignored targets, label smoothing, and a last batch of another size; `classWeight` of `fit` multiplies in.
 *
 * Targets of the output's shape are probabilities, e.g. one-hot. Class indices, int32 or float32, have its shape less
 * the class axis, or with 1 there; `fitDataset` takes them as they are, `fit`, `evaluate` and `trainOnBatch` after
 * `acceptIndexTargets(model)`.
 *
 * `classWeight` is looked up by Layers, an example at a time: it serves targets `[N]` only, and wants an entry for
 * `ignoreIndex` too, of any value. The criterion's own `weight` knows no such limits.
 *
 * @param criterion Its `reduction` must be `'mean'` or `'sum'`.
 * @returns One and the same function for a criterion and axis.
 *
 * @example
 * ```ts
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * model.compile({ optimizer: 'sgd', loss: layersLoss(new CrossEntropyLoss({ labelSmoothing: 0.1 })) });
 * await model.fit(tf.randomNormal([6, 4]), tf.oneHot([0, 1, 2, 0, 1, 2], 3));
 * ```
 */
export function layersLoss(criterion: Criterion, options?: LayersOptions): LayersFunction {
  checkCriterion(criterion);
  if (criterion.reduction === 'none') {
    throw new Error("Layers needs one loss for a batch: give the criterion the reduction 'mean' or 'sum', not 'none'.");
  }
  return loss(criterion, axisOf(criterion, options));
}
