/**
 * For its effect: `installInLayers` of the TensorFlow.js that is imported before it.
 *
 * From then on every `model.compile` takes criteria for losses, and Layers' own cross-entropies are `CrossEntropyLoss`
 * where the output ends in a softmax. It throws where no TensorFlow.js with Layers was imported, or one with a tfjs-core of
 * its own: call `installInLayers(tf)` of `tfjs-cross-entropy/layers` there.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'; // first
 * import { CrossEntropyLoss } from 'tfjs-cross-entropy';
 * import 'tfjs-cross-entropy/layers/auto';
 *
 * const dense = tf.layers.dense({ units: 3, inputShape: [1], kernelInitializer: 'zeros' });
 * const model = tf.sequential({ layers: [dense] });
 * model.compile({ optimizer: 'adam', loss: new CrossEntropyLoss({ ignoreIndex: 0 }), metrics: ['accuracy'] });
 * const [loss] = model.evaluate(tf.ones([2, 1]), tf.tensor1d([0, 2], 'int32')) as tf.Scalar[];
 * loss.print(); // 1.0986, the logarithm of 3
 * ```
 *
 * @module tfjs-cross-entropy/layers/auto
 */
import { serialization } from '@tensorflow/tfjs-core';
import { installInLayers, type Layers } from './install-in-layers';
import type { CompileArgs } from './model';

// For TypeScript: `model.compile` takes criteria.
declare module '@tensorflow/tfjs-layers/dist/engine/training.js' {
  interface LayersModel {
    compile(args: CompileArgs): void;
  }
}

declare module '@tensorflow/tfjs-layers/dist/models.js' {
  interface Sequential {
    compile(args: CompileArgs): void;
  }
}

// Layers registers its classes with the core, by name; a Sequential compiles by way of a LayersModel too.
const [LayersModel] = serialization.SerializationMap.getMap().classNameMap.Model ?? [];
const { tf } = globalThis as { tf?: Layers };
if (!LayersModel && !tf?.LayersModel) {
  throw new Error(
    'Import @tensorflow/tfjs, or @tensorflow/tfjs-layers, before tfjs-cross-entropy/layers/auto. If it has a ' +
      "tfjs-core of its own, import { installInLayers } from 'tfjs-cross-entropy/layers', and call installInLayers(tf).",
  );
}
installInLayers(LayersModel ? ({ LayersModel } as unknown as Layers) : tf!);
