/**
 * For its effect: from here on every `model.compile` takes a criterion for a loss, as `compileWithLoss` does, and every
 * model so compiled takes class indices.
 *
 * ```ts
 * import * as tf from '@tensorflow/tfjs'; // first
 * import 'tfjs-cross-entropy/layers/auto';
 *
 * model.compile({ optimizer: 'adam', loss: new CrossEntropyLoss(), metrics: ['accuracy'] });
 * ```
 *
 * @packageDocumentation
 */
import { serialization } from '@tensorflow/tfjs-core';
import { wrapCompile } from './accept-index-targets';

// Layers registers its classes with the core, by name; a Sequential compiles by way of a LayersModel too.
const [LayersModel] = serialization.SerializationMap.getMap().classNameMap.Model ?? [];
if (!LayersModel) {
  throw new Error('Import @tensorflow/tfjs, or @tensorflow/tfjs-layers, before tfjs-cross-entropy/layers/auto.');
}
wrapCompile(LayersModel.prototype);
