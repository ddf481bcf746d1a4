/**
 * For its effect: `installInLayers` of the TensorFlow.js that is imported before it.
 *
 * ```ts
 * import * as tf from '@tensorflow/tfjs'; // first
 * import 'tfjs-cross-entropy/layers/auto';
 *
 * model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
 * model.compile({ optimizer: 'adam', loss: new CrossEntropyLoss({ ignoreIndex: 0 }), metrics: ['accuracy'] });
 * ```
 *
 * @packageDocumentation
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
