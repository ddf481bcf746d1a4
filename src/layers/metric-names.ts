import { expected } from '../functional/errors';
import { DEFAULT } from './criterion';
import { type LayersFunction, layersFunction } from './layers-function';
import { accuracy, crossEntropy, type Metric, perplexity } from './metrics';
import type { MetricEntry } from './model';
import type { Trainer } from './trained-output';

/** Metrics of classes by their names: Layers would compute its own wrongly from class indices. */
const OF_CLASSES = new Map<unknown, Metric>([
  ['accuracy', accuracy],
  ['acc', accuracy],
  ['categoricalAccuracy', accuracy],
  ['sparseCategoricalAccuracy', accuracy],
  ['crossentropy', crossEntropy],
  ['ce', crossEntropy],
  ['categoricalCrossentropy', crossEntropy],
  ['sparseCategoricalCrossentropy', crossEntropy],
  ['perplexity', perplexity],
]);

/** Layers' metrics that compare targets and outputs element by element, and so want targets of the output's shape. */
const ELEMENTWISE = new Set<unknown>([
  ...['binaryAccuracy', 'binaryCrossentropy', 'precision', 'recall', 'r2Score'],
  ...['mse', 'MSE', 'meanSquaredError', 'mae', 'MAE', 'meanAbsoluteError'],
  ...['mape', 'MAPE', 'meanAbsolutePercentageError', 'cosine', 'cosineProximity'],
]);

/** Names that Layers itself does not know, as functions that have them. */
const ADDED = new Map<unknown, LayersFunction>(
  ['perplexity', 'sparseCategoricalAccuracy'].map((name) => [
    name,
    layersFunction(name, OF_CLASSES.get(name)!)(DEFAULT, -1),
  ]),
);

/** Functions of `tf.metrics`, whose names minifiers take. */
const names = new WeakMap<object, string>();

export function learnNames(metrics: Record<string, LayersFunction>): void {
  for (const [name, f] of Object.entries(metrics)) names.set(f, name);
}

/** Bundlers that leave a function's name may number it. */
function nameOf(entry: MetricEntry): string {
  return typeof entry === 'string' ? entry : (names.get(entry) ?? entry.name.replace(/\$?\d+$/, ''));
}

/** What a name or a function of Layers becomes for an output with a criterion. A user's own is left as it is. */
export function metricOfClasses(entry: MetricEntry): Metric | undefined {
  const name = nameOf(entry);
  // Of those that are not only names in `compile`, users may have functions of their own.
  return typeof entry === 'string' || name.includes('ategorical') ? OF_CLASSES.get(name) : undefined;
}

export const isElementwise = (entry: MetricEntry): boolean => ELEMENTWISE.has(nameOf(entry));

/** Which cross-entropy of Layers' own a loss is, by name or as a function. */
export function layersCrossEntropy(loss: unknown): Trainer['layersName'] {
  if (typeof loss !== 'string' && typeof loss !== 'function') return undefined;
  const name = nameOf(loss as MetricEntry);
  return name === 'sparseCategoricalCrossentropy' || name === 'categoricalCrossentropy' ? name : undefined;
}

/** An entry as Layers' `compile` can take it. */
export function metricForLayers(entry: MetricEntry): MetricEntry {
  // Layers would take these for metrics, since all objects have them.
  const isKnown = typeof entry === 'function' || (typeof entry === 'string' && !(entry in {}));
  if (!isKnown) throw expected('a metric', 'the name of one, or a function', entry);
  return ADDED.get(entry) ?? entry;
}

/** Whether `metricForLayers` made it of a name. */
export const isAdded = (entry: MetricEntry): boolean => [...ADDED.values()].includes(entry as LayersFunction);
