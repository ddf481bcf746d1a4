import { acceptIndexTargets } from './accept-index-targets';
import type { CompileArgs, Model } from './model';

/**
 * `model.compile` with a criterion for a loss, for class indices or probabilities as targets: `layersLoss`,
 * `acceptIndexTargets` and the metrics in one. Losses and metrics may be given for each output, as in Layers: outputs
 * with a loss that is no criterion are compiled as ever. The class axis is the criterion's `dim`, the last if it has none.
 *
 * Metrics of classes, `'accuracy'`, `'crossentropy'`, `'perplexity'`, `'categoricalAccuracy'`,
 * `'categoricalCrossentropy'` and their sparse kin, by name or as functions of `tf.metrics`, leave ignored targets out;
 * their names in histories are those that Layers gives. Metrics that compare element by element, such as `'mse'`, are of
 * probabilities, and refuse class indices. A function of your own gets what the model puts out.
 *
 * @example
 * ```ts
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * compileWithLoss(model, { optimizer: 'adam', loss: new CrossEntropyLoss(), metrics: ['accuracy'] });
 * await model.fit(tf.randomNormal([6, 4]), tf.tensor1d([0, 1, 2, 0, -100, 2], 'int32'));
 * ```
 */
export function compileWithLoss(model: Model, args: CompileArgs): void {
  acceptIndexTargets(model).compile(args);
}
