import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import { checkClassDim } from '../functional/checks';
import type { Criterion } from './criterion';
import { readTarget } from './target';

/** A loss or metric of Layers; mind the order. */
export type LayersFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

export interface LayersOptions {
  /**
   * The class axis of the model's output.
   * @default the criterion's `dim`; the last axis if it has none, as is the custom in TensorFlow
   */
  readonly axis?: number;
}

/** What a function of Layers was made of. */
interface Source {
  readonly criterion: Criterion;
  readonly axis: number;
}

const sources = new WeakMap<object, Source>();

/** The criterion and class axis of a loss or metric; `undefined` if it was not made here. */
export const sourceOf = (f: unknown): Source | undefined => (typeof f === 'function' ? sources.get(f) : undefined);

/**
 * How a criterion becomes a function of Layers: one and the same for a criterion and axis; with a name that survives
 * minifiers, since histories are labelled with it; and without enumerable properties, which `model.save` trips over.
 */
export function layersFunction(
  name: string,
  run: (input: Tensor, target: Tensor, criterion: Criterion, dim: number) => Tensor,
) {
  const made = new WeakMap<Criterion, Map<number, LayersFunction>>();
  return (criterion: Criterion, axis: number): LayersFunction => {
    if (!made.has(criterion)) made.set(criterion, new Map());
    const byAxis = made.get(criterion)!;
    if (!byAxis.has(axis)) {
      const f: LayersFunction = (yTrue, yPred) =>
        tidy(() => {
          const dim = checkClassDim(axis, yPred.rank);
          return run(yPred, readTarget(yTrue, yPred, dim, criterion.ignoreIndex), criterion, dim);
        });
      Object.defineProperty(f, 'name', { value: name });
      sources.set(f, { criterion, axis });
      byAxis.set(axis, f);
    }
    return byAxis.get(axis)!;
  };
}

export const axisOf = (criterion: Criterion, { axis = criterion.dim ?? -1 }: LayersOptions = {}): number => axis;
