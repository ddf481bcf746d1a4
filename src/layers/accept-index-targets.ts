import { catchUp, wrapCompile } from './compile';
import { checkModel, type Model, type ModelFields } from './model';

/**
 * Lets a model's `fit`, `evaluate` and `trainOnBatch`, and their validation data, take class indices where the loss is one of
 * {@link layersLoss}; Layers would insist on targets of the output's shape. Other outputs keep their checks.
 *
 * An output that ends in a softmax is trained on the logits before it; `predict` gives probabilities as ever, and so does what
 * is saved. That goes for softmax activations of dense and convolutional layers, for Activation and Softmax layers, also inside
 * TimeDistributed and nested models. A softmax of any other kind is warned of.
 *
 * May be called before or after `compile`, and holds for every later `compile`, which takes criteria for losses from then on
 * (see {@link compileWithLoss}). Class indices are `[N]`, `[N, 1]`, `[N, T]`, `[N, T, 1]`, `[N, H, W]`, ..., int32 or float32.
 *
 * @param model A `tf.LayersModel`, e.g. a `tf.Sequential`, of any copy of TensorFlow.js.
 * @returns The model.
 * @throws TypeError for what is no model.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { CrossEntropyLoss } from 'tfjs-cross-entropy';
 * import { acceptIndexTargets, layersLoss } from 'tfjs-cross-entropy/layers';
 *
 * const dense = tf.layers.dense({ units: 3, inputShape: [4], kernelInitializer: 'zeros' });
 * const model = tf.sequential({ layers: [dense] });
 * model.compile({ optimizer: 'sgd', loss: layersLoss(new CrossEntropyLoss()) });
 * acceptIndexTargets(model);
 * (model.evaluate(tf.ones([2, 4]), tf.tensor1d([0, 2], 'int32')) as tf.Scalar).print(); // 1.0986, the logarithm of 3
 * ```
 *
 * @see {@link compileWithLoss}, which is this and `compile` in one.
 * @see {@link installInLayers} for all models.
 */
export function acceptIndexTargets<M extends Model>(model: M): M {
  checkModel(model, 'compile', 'fit');
  wrapCompile(model);
  catchUp(model as unknown as ModelFields);
  return model;
}
