import { expected } from '../functional/errors';
import { wrapCompile } from './compile';
import type { LayersFunction } from './layers-function';
import { learnNames } from './metric-names';
import type { Model } from './model';

/** TensorFlow.js with Layers, or Layers alone, as imported or as the global `tf`. */
export interface Layers {
  readonly LayersModel: { readonly prototype: Model };
  readonly metrics?: object;
}

/**
 * From here on every `model.compile` of this copy of TensorFlow.js does what `compileWithLoss` does, for models there are
 * and models to come: it takes criteria for losses, and every model so compiled takes class indices.
 *
 * Layers' own `'sparseCategoricalCrossentropy'` and `'categoricalCrossentropy'`, by name or as functions of `tf.metrics`,
 * become `CrossEntropyLoss` wherever the output ends in a softmax, on the logits before it: nothing is clipped, int32
 * labels pass, and loss and accuracy are of one pass. Any other output keeps Layers' own.
 *
 * `import 'tfjs-cross-entropy/layers/auto'` does it for the copy that shares its tfjs-core. Call it yourself where
 * there is another: with script tags, two copies on a page, or an import map.
 *
 * @example
 * ```ts
 * installInLayers(tf);
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4], activation: 'softmax' })] });
 * model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
 * await model.fit(tf.randomNormal([6, 4]), tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'));
 * ```
 */
export function installInLayers(tf: Layers): void {
  if (typeof tf?.LayersModel?.prototype?.compile !== 'function') {
    throw expected('`tf`', 'TensorFlow.js with Layers, i.e. @tensorflow/tfjs or @tensorflow/tfjs-layers', tf);
  }
  wrapCompile(tf.LayersModel.prototype, true);
  learnNames((tf.metrics ?? {}) as Record<string, LayersFunction>);
}
