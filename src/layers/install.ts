import type { Tensor } from '@tensorflow/tfjs-core';
import { sourceOf } from './layers-function';
import type { BatchData, BatchFunction, LossEntry, ModelFields } from './model';
import { entryOf } from './per-output';
import type { Plan } from './plan';
import { TrainedOutput } from './trained-output';
import { warnOfValues } from './warn-of-values';

const installed = new WeakSet<object>();

export const isInstalled = (model: ModelFields): boolean => installed.has(model.model ?? model);

/** Puts our losses and metrics in the place of those that Layers' `compile` has just made. */
export function install(model: ModelFields, plan: Plan): void {
  const compiled = model.model ?? model;
  if (installed.delete(compiled)) {
    for (const method of ['makeTrainFunction', 'makeTestFunction']) Reflect.deleteProperty(compiled, method);
  }
  if (!plan.trainers.some(Boolean)) return;
  installed.add(compiled);
  const trained = replaceFunctions(compiled, plan);
  watchBatches(compiled, (data, run) => {
    const targets = data.slice(compiled.inputs.length);
    const classWeights = targets.splice(compiled.outputs.length);
    trained.forEach((output, i) => {
      output?.begin(targets[i] as Tensor, classWeights[i]);
    });
    try {
      return plan.endings.during(run);
    } finally {
      for (const output of trained) output?.end();
    }
  });
  for (const saved of new Set([model, compiled])) leaveOutOfSaved(saved, plan);
}

function replaceFunctions(compiled: ModelFields, { trainers, metrics, endings }: Plan): (TrainedOutput | undefined)[] {
  const { outputs, lossFunctions, feedLossFns, feedOutputShapes, metricsTensors } = compiled;
  const trained = outputs.map((output, i) => {
    const trainer = trainers[i];
    const ending = endings.of[i];
    if (!trainer) {
      lossFunctions![i] = ending.seen(lossFunctions![i]);
      return undefined;
    }
    if (!ending.logits) warnOfValues(ending.layer, trainer.criterion);
    const ours = new TrainedOutput(output, trainer, ending);
    lossFunctions![i] = ours.loss;
    if (trainer.layersName !== 'categoricalCrossentropy') {
      // Layers would check targets by the loss, and by the output's shape.
      feedLossFns[i] = ours.loss;
      feedOutputShapes[i] = null;
    }
    return ours;
  });

  // Of several outputs the losses come first, then the metrics, output by output.
  const losses = outputs.length > 1 ? lossFunctions! : [];
  losses.forEach((loss, i) => {
    metricsTensors[i][0] = loss;
  });
  let k = losses.length;
  metrics.forEach((entries, i) => {
    for (const entry of entries) {
      const ofLayers = metricsTensors[k][0];
      metricsTensors[k++][0] = trained[i]?.metric(entry, ofLayers) ?? endings.of[i].seen(ofLayers);
    }
  });
  return trained;
}

/** Calls `around` in place of each batch that the model trains or tests on. */
function watchBatches(compiled: ModelFields, around: (data: BatchData, run: () => Tensor[]) => Tensor[]): void {
  const watched =
    (batch: BatchFunction): BatchFunction =>
    (data) =>
      around(data, () => batch(data));
  const { makeTrainFunction, makeTestFunction } = compiled;
  const methods: Pick<ModelFields, 'makeTrainFunction' | 'makeTestFunction'> = {
    makeTrainFunction: () => watched(makeTrainFunction.call(compiled)),
    makeTestFunction: () => {
      makeTestFunction.call(compiled);
      compiled.testFunction = watched(compiled.testFunction);
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(compiled, name, { value, configurable: true, writable: true });
  }
}

/** Layers saves losses and metrics by name, and cannot load those that it does not know. */
function leaveOutOfSaved(model: ModelFields, { trainers }: Plan): void {
  const { loss, metrics, outputs } = model;
  model.metrics = Array.isArray(metrics) ? metrics.filter((metric) => !sourceOf(metric)) : metrics;
  if (trainers.every((trainer) => !trainer || trainer.layersName)) return;
  const names = outputs.map(({ sourceLayer }) => sourceLayer.name);
  const others = names.filter((name, i) => !trainers[i] && names.indexOf(name) === names.lastIndexOf(name));
  const ofOthers = others.map((name) => [name, entryOf(loss as LossEntry, names.indexOf(name), name)]);
  model.loss = Object.fromEntries(ofOthers.filter(([, entry]) => entry !== undefined));
  model.metrics = [];
}
