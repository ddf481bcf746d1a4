import { expected } from '../functional/errors';
import { wrapCompile } from './compile';
import type { LayersFunction } from './layers-function';
import { learnNames } from './metric-names';
import type { Model } from './model';

/** TensorFlow.js with Layers, or Layers alone, as imported or as the global `tf`. */
export interface Layers {
  /** The class of its models. */
  readonly LayersModel: {
    /** Where `compile` is wrapped. */
    readonly prototype: Model;
  };
  /** Its metrics, by which functions given to `compile` are known. */
  readonly metrics?: object;
}

/**
 * From here on every `model.compile` of this copy of TensorFlow.js does what {@link compileWithLoss} does, for models there are
 * and models to come: it takes criteria for losses, and every model so compiled takes class indices.
 *
 * Layers' own `'sparseCategoricalCrossentropy'` and `'categoricalCrossentropy'`, by name or as functions of `tf.metrics`,
 * become `CrossEntropyLoss` wherever the output ends in a softmax, on the logits before it: nothing is clipped, int32 labels
 * pass, and loss and accuracy are of one pass. Any other output keeps Layers' own.
 *
 * @param tf TensorFlow.js with Layers, or Layers alone, as imported or as the global `tf`.
 * @throws TypeError where it has no Layers.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { installInLayers } from 'tfjs-cross-entropy/layers';
 *
 * installInLayers(tf);
 * const output = tf.layers.dense({ units: 3, inputShape: [1], activation: 'softmax' });
 * const model = tf.sequential({ layers: [output] });
 * model.setWeights([tf.tensor2d([[100, 0, -100]]), tf.zeros([3])]);
 * model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
 * const loss = model.evaluate(tf.ones([1, 1]), tf.tensor1d([2], 'int32')) as tf.Scalar;
 * loss.print(); // 200, where Layers alone refuses the labels, and would clip at 16.1181
 * ```
 *
 * @see `tfjs-cross-entropy/layers/auto`, which does it on import for the copy that shares its tfjs-core. Call this where there
 *     is another: with script tags, two copies on a page, or an import map.
 * @see {@link compileWithLoss} for one model.
 */
export function installInLayers(tf: Layers): void {
  if (typeof tf?.LayersModel?.prototype?.compile !== 'function') {
    throw expected('`tf`', 'TensorFlow.js with Layers, i.e. @tensorflow/tfjs or @tensorflow/tfjs-layers', tf);
  }
  wrapCompile(tf.LayersModel.prototype, true);
  learnNames((tf.metrics ?? {}) as Record<string, LayersFunction>);
}
