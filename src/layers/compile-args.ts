import { expected } from '../functional/errors';
import { isCriterion } from './criterion';
import { sourceOf } from './layers-function';
import { layersLoss } from './loss';
import { layersAccuracy, layersPerplexity } from './metrics';
import type { CompileArgs, ModelFields } from './model';
import { mapOutputs } from './per-output';

const METRICS = new Map<unknown, typeof layersAccuracy>([
  ['accuracy', layersAccuracy],
  ['acc', layersAccuracy],
  ['perplexity', layersPerplexity],
]);

/**
 * The arguments as Layers understands them: criteria as losses, and for outputs with such a loss the metrics that know
 * class indices and ignored ones in place of Layers' own, which would be wrong without a word.
 */
export function compileArgs(model: ModelFields, args: CompileArgs): CompileArgs {
  if (args.loss == null) return args;
  const loss = mapOutputs(args.loss, (entry) => (isCriterion(entry) ? layersLoss(entry) : entry));
  const names = model.outputs.map(({ sourceLayer }) => sourceLayer.name);
  const losses = names.map((name, i) => {
    if (typeof loss !== 'object') return loss;
    return Array.isArray(loss) ? loss[i] : loss[name];
  });
  if (!losses.some(sourceOf)) return args;
  const metrics = names.map((name, i) => {
    const source = sourceOf(losses[i]);
    const own = metricsOf(args, name);
    const ofSource = (metric: (typeof own)[number]) => {
      // Layers would take these for metrics, since all objects have them.
      if (typeof metric === 'string' && metric in {})
        throw expected('a metric', 'the name of one, or a function', metric);
      return METRICS.get(metric)?.(source!.criterion, source) ?? metric;
    };
    return [name, source ? own.map(ofSource) : own];
  });
  return { ...args, loss, metrics: Object.fromEntries(metrics) };
}

function metricsOf(args: CompileArgs, name: string) {
  const metrics = args.metrics ?? [];
  const isDictionary = typeof metrics === 'object' && !Array.isArray(metrics);
  return [isDictionary ? (metrics[name] ?? []) : metrics].flat();
}
