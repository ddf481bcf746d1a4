import { serialization } from '@tensorflow/tfjs-core';

/** `takesCriteria`: of this package, here or in the adaptors. */
type Compile = ((this: unknown, args: { loss?: object }) => void) & { takesCriteria?: boolean };

interface LayersModel {
  readonly prototype?: { compile: Compile };
}

const isCriterion = (x?: { forward?: unknown }) => x?.forward;

/**
 * tfjs-layers takes a criterion in `model.compile({ loss })` for a dictionary of losses, and complains of the names of
 * its fields. This makes it say what to write instead, as soon as there is a criterion; it changes nothing else.
 */
export function explainInCompile(): void {
  // Layers registers its classes with the core, by name; a Sequential compiles by way of a LayersModel too.
  const { prototype } = (serialization.SerializationMap.getMap().classNameMap.Model?.[0] ?? {}) as LayersModel;
  if (!prototype || prototype.compile.takesCriteria) return;
  const { compile } = prototype;
  prototype.compile = function (args) {
    if ([args.loss, ...Object.values(args.loss ?? {})].some(isCriterion)) {
      throw new Error(
        'For Layers write compileWithLoss(model, { loss: criterion, ... }), of tfjs-cross-entropy/layers.',
      );
    }
    compile.call(this, args);
  };
  prototype.compile.takesCriteria = true;
}
