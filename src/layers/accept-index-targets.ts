import { expected } from '../functional/errors';
import { catchUp, wrapCompile } from './compile';
import type { Model, ModelFields } from './model';

/**
 * Lets a model's `fit`, `evaluate` and `trainOnBatch`, and their validation data, take class indices where the loss is
 * one of `layersLoss`; Layers would insist on targets of the output's shape. Other outputs keep their checks.
 *
 * An output that ends in a softmax is trained on the logits before it; `predict` gives probabilities as ever, and so does
 * what is saved. That goes for softmax activations of dense and convolutional layers, for Activation and Softmax layers,
 * also inside TimeDistributed and nested models. A softmax of any other kind is warned of.
 *
 * May be called before or after `compile`, and holds for every later `compile`, which takes criteria for losses from
 * then on (see `compileWithLoss`). Class indices are `[N]`, `[N, 1]`, `[N, T]`, `[N, T, 1]`, `[N, H, W]`, ..., int32 or
 * float32.
 *
 * @returns The model.
 *
 * @example
 * ```ts
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * model.compile({ optimizer: 'sgd', loss: layersLoss(new CrossEntropyLoss()) });
 * acceptIndexTargets(model);
 * await model.fit(tf.randomNormal([6, 4]), tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'));
 * ```
 */
export function acceptIndexTargets<M extends Model>(model: M): M {
  if (typeof model?.compile !== 'function') throw expected('`model`', 'a tf.LayersModel', model);
  wrapCompile(model);
  catchUp(model as unknown as ModelFields);
  return model;
}
