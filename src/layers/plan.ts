import { checkDim } from '../functional/checks';
import { DEFAULT } from './criterion';
import { type LayersFunction, sourceOf } from './layers-function';
import { isAdded, layersCrossEntropy } from './metric-names';
import type { CompileArgs, MetricEntry, ModelFields } from './model';
import { entryOf, metricsOf } from './per-output';
import { type Endings, softmaxEndings } from './softmax-ending';
import type { Trainer } from './trained-output';

/** What `compile` was asked for, output by output. Outputs are told apart by position: several may have one name. */
export interface Plan {
  /** What trains an output, if it is a criterion. */
  readonly trainers: readonly (Trainer | undefined)[];
  readonly metrics: readonly (readonly MetricEntry[])[];
  readonly endings: Endings;
}

/** @param takesNames Whether a criterion trains where Layers' own cross-entropy was asked for, on logits. */
export function planOf(
  { outputs }: ModelFields,
  args: Pick<CompileArgs, 'loss' | 'metrics'>,
  takesNames: boolean,
): Plan {
  const names = outputs.map(({ sourceLayer }) => sourceLayer.name);

  const wanted = outputs.map(({ shape }, i): Trainer | undefined => {
    const entry = args.loss && entryOf(args.loss, i, names[i]);
    const source = sourceOf(entry);
    if (source) return { criterion: source.criterion, axis: checkDim(source.axis, shape.length) };
    const axis = shape.length - 1;
    const layersName = takesNames && shape[axis] !== 1 ? layersCrossEntropy(entry) : undefined;
    return layersName && { criterion: DEFAULT, axis, layersName };
  });
  const axes = wanted.map((trainer) => trainer?.axis);
  const endings = softmaxEndings(outputs, axes);
  // An output without logits keeps Layers' own loss.
  const trainers = wanted.map((trainer, i) => (trainer?.layersName && !endings.of[i].logits ? undefined : trainer));

  const metrics = names.map((name) => metricsOf(args.metrics, name));
  metrics.forEach((entries, i) => {
    const added = trainers[i] ? undefined : entries.find(isAdded);
    if (!added) return;
    throw new Error(
      `The metric '${(added as LayersFunction).name}' is for outputs that a criterion trains, and "${names[i]}" has ` +
        'another loss. Write metrics: { [outputName]: [...] }.',
    );
  });
  return { trainers, metrics, endings };
}
