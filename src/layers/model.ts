import type { Optimizer } from '@tensorflow/tfjs-core';
import type { Criterion } from './criterion';
import type { LayersFunction } from './layers-function';

/**
 * What is used of models, whichever copy of tfjs-layers made them: by structure, since the types of two copies do not
 * fit together, and without importing any.
 */

/** For all outputs, or for each: by position, or by the output's name. */
export type PerOutput<T> = T | T[] | { [outputName: string]: T };

type Loss = Criterion | LayersFunction | string;
type Metric = LayersFunction | string;

/** The arguments of `model.compile`, where a criterion may stand for a loss. */
export interface CompileArgs {
  optimizer: string | Optimizer;
  loss?: PerOutput<Loss>;
  /** As in Layers: those of an array are for every output. */
  metrics?: Metric | Metric[] | { [outputName: string]: Metric | Metric[] };
}

/** A `tf.LayersModel`, e.g. a `tf.Sequential`. */
export interface Model {
  // biome-ignore lint/suspicious/noExplicitAny: Layers' own type knows no criteria
  compile(args: any): void;
}

/** A layer, as far as it tells what its values are. */
export interface Layer {
  readonly name: string;
  getClassName(): string;
  getConfig(): { readonly activation?: unknown };
  readonly inboundNodes: readonly { readonly inboundLayers: readonly Layer[] }[];
  /** Of a wrapper such as TimeDistributed. */
  readonly layer?: Layer;
  /** Of a model that serves as a layer. */
  readonly outputs?: readonly Output[];
}

interface Output {
  readonly sourceLayer: Layer;
}

/** Fields of a model that its type does not show. */
export interface ModelFields {
  readonly outputs: readonly Output[];
  /** What a Sequential compiles and trains: another one after each `compile`. */
  readonly model?: ModelFields;
  /** One an output; not there before `compile`. */
  readonly lossFunctions?: readonly unknown[];
  /** What targets are checked against; `null` for no check. */
  readonly feedOutputShapes: (readonly (number | null)[] | null)[];
  /** The arguments of `compile` that `save` writes if `includeOptimizer` is set. */
  loss: unknown;
  metrics: unknown;
}
