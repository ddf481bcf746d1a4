import { expected } from '../functional/errors';
import { isCriterion } from './criterion';
import { install, isInstalled } from './install';
import { layersLoss } from './loss';
import { metricForLayers } from './metric-names';
import type { CompileArgs, MetricEntry, Model, ModelFields } from './model';
import { mapOutputs } from './per-output';
import { planOf } from './plan';

/**
 * From `compile` to losses and metrics. First it is settled what trains each output (`planOf`). Then Layers compiles,
 * with criteria as functions; so histories have the names that Layers gives. Then those of its functions that belong to
 * an output with a criterion are replaced (`install`) by what a `TrainedOutput` makes of a batch.
 */

const wrapped = new WeakSet<object>();
const namesTaken = new WeakSet<object>();
let isCompiling = false;

/**
 * Makes the `compile` of a model, or of a prototype of models, understand criteria and class indices.
 *
 * @param takesNames Whether a criterion is to train also where `compile` is given Layers' own cross-entropy.
 */
export function wrapCompile(owner: Model, takesNames = false): void {
  if (takesNames) namesTaken.add(owner);
  if (wrapped.has(owner)) return;
  wrapped.add(owner);
  const { compile } = owner;
  const value = function (this: Model & ModelFields, args: CompileArgs): void {
    if (isCompiling) {
      compile.call(this, args); // the model in a Sequential
      return;
    }
    // Layers itself would fail to read some property of undefined.
    if (args?.optimizer == null) {
      throw expected('what `compile` is given', "an object such as { optimizer: 'adam', loss: criterion }", args);
    }
    const forLayers = argsForLayers(args);
    const plan = planOf(this, forLayers, areNamesTaken(this));
    isCompiling = true;
    try {
      compile.call(this, forLayers);
    } finally {
      isCompiling = false;
    }
    install(this, plan);
  };
  value.takesCriteria = true;
  Object.defineProperty(owner, 'compile', { value, writable: true, configurable: true });
}

/** Does for a model that is compiled already what a wrapped `compile` would have done. */
export function catchUp(model: ModelFields): void {
  const isCompiled = (model.model ?? model).lossFunctions !== undefined;
  if (isCompiled && !isInstalled(model)) install(model, planOf(model, model, areNamesTaken(model)));
}

/** The arguments as Layers can take them. */
function argsForLayers(args: CompileArgs): CompileArgs {
  const { loss, metrics } = args;
  const toMetrics = (entries: MetricEntry | MetricEntry[]) =>
    Array.isArray(entries) ? entries.map(metricForLayers) : metricForLayers(entries);
  const isOfOutput = (x: unknown) => typeof x !== 'object' || Array.isArray(x);
  return {
    ...args,
    ...(loss && { loss: mapOutputs(loss, (entry) => (isCriterion(entry) ? layersLoss(entry) : entry)) }),
    ...(metrics && { metrics: mapOutputs(metrics, toMetrics, isOfOutput) as CompileArgs['metrics'] }),
  };
}

function areNamesTaken(model: object): boolean {
  return namesTaken.has(model) || (model !== Object.prototype && areNamesTaken(Object.getPrototypeOf(model)));
}
