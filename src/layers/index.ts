/**
 * Criteria in `model.compile` of tfjs-layers. Nothing of tfjs-layers is imported: whichever copy made the model serves.
 *
 * {@link compileWithLoss} is for one model; {@link installInLayers} and `tfjs-cross-entropy/layers/auto` are for all;
 * {@link layersLoss}, {@link acceptIndexTargets} and the metrics are the parts.
 *
 * @module tfjs-cross-entropy/layers
 */
export { acceptIndexTargets } from './accept-index-targets';
export { compileWithLoss } from './compile-with-loss';
export type { Criterion } from './criterion';
export { installInLayers, type Layers } from './install-in-layers';
export type { LayersFunction, LayersOptions } from './layers-function';
export { layersLoss } from './loss';
export { loadCriterion, storeCriterion, type WithMetadata } from './metadata';
export { layersAccuracy, layersPerplexity, topKAccuracy } from './metrics';
export type { CompileArgs, LossEntry, MetricEntry, Model, PerOutput } from './model';
