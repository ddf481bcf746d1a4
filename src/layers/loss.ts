import {
  customGrad,
  div,
  greater,
  mul,
  reshape,
  scalar,
  type Tensor,
  tensor1d,
  util,
  where,
} from '@tensorflow/tfjs-core';
import { classView } from '../contract/class-view';
import { rowWeights } from '../contract/formulas';
import { blockedSum, total } from '../contract/sum';
import { type Criterion, checkCriterion, lossFunction, optionsOf } from './criterion';
import { axisOf, type LayersFunction, type LayersOptions, layersFunction } from './layers-function';
import { type Measured, zeroIfNone } from './measure';

/**
 * A criterion as a loss for `model.compile({ loss })`, called with (yTrue, yPred). Its value, in nats, is PyTorch's for each
 * batch: with class weights, ignored targets, label smoothing, and a last batch of another size; `classWeight` of `fit`
 * multiplies in. A batch whose targets are all ignored has loss 0, where PyTorch has NaN.
 *
 * Targets of the output's shape are probabilities, e.g. one-hot. Class indices, int32 or float32, have its shape less the class
 * axis, or with 1 there; `fitDataset` takes them as they are, `fit`, `evaluate` and `trainOnBatch` after
 * `acceptIndexTargets(model)`. That, `compileWithLoss` and `layers/auto` also make it as fast as `criterion.forward`, and train
 * a model that ends in a softmax on the logits before it; the function alone takes what it is given for logits.
 *
 * `classWeight` is looked up by Layers, an example at a time: it serves targets `[N]` only, and wants an entry for
 * `ignoreIndex` too, of any value. The criterion's own `weight` knows no such limits.
 *
 * `evaluate`, and the epochs of a history, average batches by their sizes, ignored rows included. The exact mean over all rows
 * that count is the sum over them, by a criterion of reduction `'sum'`, divided by their number.
 *
 * @param criterion Its `reduction` must be `'mean'` or `'sum'`.
 * @param options The class axis, if it is another than the criterion's.
 * @returns One and the same function for a criterion and axis.
 * @throws TypeError for what is no criterion, and for an axis that is no integer; Error for the reduction `'none'`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { CrossEntropyLoss } from 'tfjs-cross-entropy';
 * import { layersLoss } from 'tfjs-cross-entropy/layers';
 *
 * const dense = tf.layers.dense({ units: 3, inputShape: [4], kernelInitializer: 'zeros' });
 * const model = tf.sequential({ layers: [dense] });
 * model.compile({ optimizer: 'sgd', loss: layersLoss(new CrossEntropyLoss({ labelSmoothing: 0.1 })) });
 * (model.evaluate(tf.ones([2, 4]), tf.oneHot([0, 2], 3)) as tf.Scalar).print(); // 1.0986, the logarithm of 3
 *
 * // The exact mean over batches: sums over counts.
 * const criterion = new CrossEntropyLoss({ ignoreIndex: 0, reduction: 'sum' });
 * const logits = tf.tensor2d([[2, 1, 0], [0, 0, 3], [0, 1, 0]]);
 * const labels = tf.tensor1d([1, 0, 2], 'int32');
 * tf.div(criterion.forward(logits, labels), tf.sum(tf.notEqual(labels, 0))).print(); // 1.4795
 * ```
 *
 * @see {@link compileWithLoss}, which takes the criterion itself, and class indices.
 * @see {@link layersAccuracy} and {@link layersPerplexity} for metrics that leave ignored targets out too.
 */
export function layersLoss(criterion: Criterion, options?: LayersOptions): LayersFunction {
  checkCriterion(criterion);
  if (criterion.reduction === 'none') {
    throw new Error("Layers needs one loss for a batch: give the criterion the reduction 'mean' or 'sum', not 'none'.");
  }
  return loss(criterion, axisOf(criterion, options));
}

const loss = layersFunction('loss', lossOfExamples);

/**
 * One value an example, `[N]`, whose plain mean is the criterion's loss: what Layers wants of a loss, since it multiplies
 * by what `fit` was given as `classWeight` before it takes that mean.
 */
export function lossOfExamples({ criterion, input, target, dim, count }: Measured): Tensor {
  const options = optionsOf(criterion);
  const rows = lossFunction(criterion)(input, target, { ...options, reduction: 'none', dim });
  const [examples] = rows.shape;
  const sums = reshape(blockedSum(reshape(rows, [examples, util.sizeFromShape(rows.shape.slice(1)), 1])), [examples]);
  if (criterion.reduction === 'sum') return mul(sums, examples);
  const view = classView(input.shape, dim);
  if (target.dtype !== 'int32') return mul(sums, examples / view.rows);
  const weight = (options.weight as Tensor | undefined) ?? tensor1d([], 'float32');
  const divisor = view.rows > 0 ? total(rowWeights(target, weight, view, criterion.ignoreIndex)) : scalar(1);
  return mul(sums, div(examples, where(greater(count(), 0), divisor, scalar(1))));
}

/**
 * The criterion's loss as it is, for where Layers takes a mean and nothing more: its gradient is found along with it, as
 * in a loop by hand, and the upstream gradient passes on as it comes, exactly 1.
 */
export function lossOfBatch({ criterion, target, loss, count }: Measured): Tensor {
  if (criterion.reduction === 'sum' || target.dtype !== 'int32') return loss();
  const rows = count();
  return customGrad((mean) => ({
    value: zeroIfNone(mean as Tensor, rows),
    gradFunc: (dy: Tensor) => dy, // the loss's own gradient is 0 where nothing counts
  }))(loss());
}
