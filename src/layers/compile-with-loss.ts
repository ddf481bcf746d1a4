import { acceptIndexTargets } from './accept-index-targets';
import type { CompileArgs, Model } from './model';

/**
 * `model.compile` with a criterion for a loss, for class indices or probabilities as targets: {@link layersLoss},
 * {@link acceptIndexTargets} and the metrics in one. Losses and metrics may be given for each output, as in Layers: outputs
 * with a loss that is no criterion are compiled as ever. The class axis is the criterion's `dim`, the last if it has none.
 *
 * A batch's loss is PyTorch's, in nats, as {@link layersLoss} says.
 *
 * Metrics of classes, `'accuracy'`, `'crossentropy'`, `'perplexity'`, `'categoricalAccuracy'`, `'categoricalCrossentropy'` and
 * their sparse kin, by name or as functions of `tf.metrics`, leave ignored targets out; their names in histories are those that
 * Layers gives. Metrics that compare element by element, such as `'mse'`, are of probabilities, and refuse class indices. A
 * function of your own gets what the model puts out.
 *
 * @param model A `tf.LayersModel`, e.g. a `tf.Sequential`, of any copy of TensorFlow.js.
 * @param args What `model.compile` takes, where criteria may stand for losses.
 * @throws TypeError for what is no model, arguments without an optimizer, and what is no metric; Error for a criterion of the
 *     reduction `'none'`; and what Layers throws of losses and metrics that it does not know. Targets are checked when they come.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { CrossEntropyLoss } from 'tfjs-cross-entropy';
 * import { compileWithLoss } from 'tfjs-cross-entropy/layers';
 *
 * const dense = tf.layers.dense({ units: 3, inputShape: [3], kernelInitializer: 'identity' });
 * const model = tf.sequential({ layers: [dense] });
 * compileWithLoss(model, { optimizer: 'adam', loss: new CrossEntropyLoss(), metrics: ['accuracy'] });
 * const x = tf.tensor2d([[2, 1, 0], [1, 1, 1], [0, 0, 3]]);
 * const y = tf.tensor1d([0, -100, 2], 'int32'); // the second is ignored
 * const [loss, accuracy] = model.evaluate(x, y) as tf.Scalar[];
 * loss.print(); // 0.2513
 * accuracy.print(); // 1
 * ```
 *
 * @see {@link installInLayers} and `tfjs-cross-entropy/layers/auto`, where `model.compile` is to be left as it is.
 * @see {@link storeCriterion} for saving a model with its criterion.
 */
export function compileWithLoss(model: Model, args: CompileArgs): void {
  acceptIndexTargets(model).compile(args);
}
