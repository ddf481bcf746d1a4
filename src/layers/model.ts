import type { Optimizer, Tensor } from '@tensorflow/tfjs-core';
import { expected } from '../functional/errors';
import type { Criterion } from './criterion';
import type { LayersFunction } from './layers-function';

/**
 * What is used of models, whichever copy of tfjs-layers made them: by structure, since the types of two copies do not
 * fit together, and without importing any.
 */

/** For all outputs, or for each: by position, or by the output's name. */
export type PerOutput<T> = T | T[] | { [outputName: string]: T };

/** What `compile` takes for a loss: a criterion, or a function or name of Layers. */
export type LossEntry = Criterion | LayersFunction | string;
/** What `compile` takes for a metric: a function or name of Layers. */
export type MetricEntry = LayersFunction | string;

/** The arguments of `model.compile`, where a criterion may stand for a loss. */
export interface CompileArgs {
  /** As in Layers: an optimizer, or the name of one. */
  optimizer: string | Optimizer;
  /** A loss, or one for each output. */
  loss?: PerOutput<LossEntry>;
  /** As in Layers: those of an array are for every output. */
  metrics?: MetricEntry | MetricEntry[] | { [outputName: string]: MetricEntry | MetricEntry[] };
}

/** What is used of a model: a `tf.LayersModel`, e.g. a `tf.Sequential`, of any copy of TensorFlow.js has it. */
export interface Model {
  /**
   * As in Layers.
   *
   * @param args Optimizer, loss and metrics.
   */
  // biome-ignore lint/suspicious/noExplicitAny: Layers' own type knows no criteria
  compile(args: any): void;
}

/** By what is used of it: it may come from another copy of Layers. */
export function checkModel(x: unknown, ...methods: string[]): void {
  const model = (x ?? {}) as Record<string, unknown>;
  if (methods.some((name) => typeof model[name] !== 'function')) throw expected('`model`', 'a tf.LayersModel', x);
}

/** A place in the graph of a model: an output of one call of a layer. */
export interface SymbolicTensor {
  readonly shape: readonly (number | null)[];
  readonly sourceLayer: Layer;
  /** Which output of the layer. */
  readonly tensorIndex: number;
  /** What the layer was called on. */
  readonly inputs: readonly SymbolicTensor[];
}

export interface Layer {
  readonly name: string;
  getClassName(): string;
  getConfig(): { readonly activation?: unknown; readonly axis?: unknown };
  call(inputs: Tensor | Tensor[], kwargs: unknown): Tensor | Tensor[];
  /** Of a layer that applies one. */
  activation?: { getClassName(): string; apply(x: Tensor, axis?: number): Tensor };
  /** Of a Softmax layer. */
  softmax?: (x: Tensor, axis?: number) => Tensor;
  readonly dataFormat?: string;
  /** Of a Permute layer: for each axis of the output but the first, which one of the input it is. */
  readonly dims?: readonly number[];
  /** Of a wrapper such as TimeDistributed. */
  readonly layer?: Layer;
  /** Of a model that serves as a layer. */
  readonly outputs?: readonly SymbolicTensor[];
}

/** The tensors of a batch: inputs, targets, and in training what `classWeight` makes of the targets. */
export type BatchData = (Tensor | null | undefined)[];

/** Trains or tests on a batch; gives the loss and the metrics. */
export type BatchFunction = (data: BatchData) => Tensor[];

/** Fields of a model that its type does not show. */
export interface ModelFields {
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
  /** What a Sequential compiles and trains: another one after each `compile`. */
  readonly model?: ModelFields;
  /** One an output; not there before `compile`. */
  readonly lossFunctions?: LayersFunction[];
  /** The same once more, by which Layers decides how to check targets. */
  readonly feedLossFns: LayersFunction[];
  /** What targets are checked against; `null` for no check. */
  readonly feedOutputShapes: (readonly (number | null)[] | null)[];
  /** Each with its output: of several outputs the losses first, then the metrics, output by output. */
  readonly metricsTensors: [LayersFunction, number][];
  makeTrainFunction(): BatchFunction;
  /** Makes `testFunction`. */
  makeTestFunction(): void;
  testFunction: BatchFunction;
  /** The arguments of `compile`, which `save` writes if `includeOptimizer` is set. */
  loss: CompileArgs['loss'];
  metrics: CompileArgs['metrics'];
}
