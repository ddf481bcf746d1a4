import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import { checkInteger } from '../functional/checks';
import { withDefaults } from '../functional/read-options';
import type { Criterion } from './criterion';
import { type Measured, measure, readBatch } from './measure';

/**
 * A loss or metric of Layers. Mind the order: the target comes first.
 *
 * @param yTrue The target of a batch, as Layers hands it over.
 * @param yPred What the model makes of the batch: logits.
 */
export type LayersFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** Options of {@link layersLoss} and the metrics. */
export interface LayersOptions {
  /**
   * The class axis of the model's output.
   * @default the criterion's `dim`; the last axis if it has none, as is the custom in TensorFlow
   */
  readonly axis?: number;
}

/** What a function of Layers was made of. */
export interface Source {
  readonly criterion: Criterion;
  readonly axis: number;
  /** What it makes of a batch. */
  readonly of: (measured: Measured) => Tensor;
}

const sources = new WeakMap<object, Source>();

/** What a loss or metric was made of; `undefined` if it was not made here. */
export const sourceOf = (f: unknown): Source | undefined => sources.get(f as object);

/**
 * How a criterion becomes a function of Layers: one and the same for a criterion and axis; with a name that survives
 * minifiers, since histories are labelled with it; and without enumerable properties, which `model.save` trips over.
 */
export function layersFunction(name: string, of: Source['of']) {
  const made = new WeakMap<Criterion, Map<number, LayersFunction>>();
  return (criterion: Criterion, axis: number): LayersFunction => {
    if (!made.has(criterion)) made.set(criterion, new Map());
    const byAxis = made.get(criterion)!;
    if (!byAxis.has(axis)) {
      const f: LayersFunction = named(name, (yTrue, yPred) =>
        tidy(() => of(measure(readBatch(criterion, axis, yTrue, yPred)))),
      );
      sources.set(f, { criterion, axis, of });
      byAxis.set(axis, f);
    }
    return byAxis.get(axis)!;
  };
}

export function named<F extends LayersFunction>(name: string, f: F): F {
  return Object.defineProperty(f, 'name', { value: name });
}

export function axisOf(criterion: Criterion, options: LayersOptions = {}, functionName = 'layersLoss'): number {
  const { axis } = withDefaults(options, { axis: criterion.dim ?? -1 }, functionName);
  checkInteger(axis, 'axis');
  return axis!;
}
