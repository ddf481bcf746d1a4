/**
 * Criteria in `model.compile` of tfjs-layers. Nothing of tfjs-layers is imported: whichever copy made the model serves.
 *
 * @packageDocumentation
 */
export { acceptIndexTargets } from './accept-index-targets';
export { compileWithLoss } from './compile-with-loss';
export type { Criterion } from './criterion';
export { installInLayers, type Layers } from './install-in-layers';
export type { LayersFunction, LayersOptions } from './layers-function';
export { layersLoss } from './loss';
export { loadCriterion, storeCriterion } from './metadata';
export { layersAccuracy, layersPerplexity, topKAccuracy } from './metrics';
export type { CompileArgs, PerOutput } from './model';
