import { acceptIndexTargets } from './accept-index-targets';
import type { CompileArgs, Model } from './model';

/**
 * `model.compile` with a criterion for a loss, for class indices or probabilities as targets: `layersLoss`,
 * `acceptIndexTargets` and the metrics in one. Losses and metrics may be given for each output, as in Layers: outputs
 * with a loss that is no criterion are compiled as ever.
 *
 * `'accuracy'` becomes `layersAccuracy(criterion)`, `'perplexity'` `layersPerplexity(criterion)`. The class axis is
 * the criterion's `dim`, the last if it has none.
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
