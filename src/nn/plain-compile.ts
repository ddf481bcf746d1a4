import { serialization } from '@tensorflow/tfjs-core';

type Compile = ((this: unknown, args: { loss?: object }) => void) & { takesCriteria?: boolean };

const isCriterion = (x?: { forward?: unknown }) => typeof x?.forward === 'function';

/**
 * tfjs-layers takes a criterion in `model.compile({ loss })` for a dictionary of losses, and complains of the names of
 * its fields. This makes it say what to write instead, as soon as there is a criterion; it changes nothing else.
 */
export function explainInCompile(): void {
  // Layers registers its classes with the core, by name; a Sequential compiles by way of a LayersModel too.
  const [Class] = serialization.SerializationMap.getMap().classNameMap.Model ?? [];
  const prototype = Class?.prototype as unknown as { compile: Compile } | undefined;
  const compile = prototype?.compile;
  if (!compile || compile.takesCriteria) return;
  prototype.compile = function (args) {
    if ([args.loss, ...Object.values(args.loss ?? {})].some(isCriterion)) {
      throw new TypeError(
        'Write loss: layersLoss(criterion), of tfjs-cross-entropy/layers (with script tags tfjsCrossEntropy.layers), ' +
          'or import tfjs-cross-entropy/layers/auto.',
      );
    }
    compile.call(this, args);
  };
  prototype.compile.takesCriteria = true;
}
