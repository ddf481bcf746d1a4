import { expected } from '../functional/errors';
import { compileArgs } from './compile-args';
import { sourceOf } from './layers-function';
import type { CompileArgs, Model, ModelFields } from './model';
import { warnOfActivation } from './warn-of-activation';

/**
 * Lets a model's `fit`, `evaluate` and `trainOnBatch`, and their validation data, take class indices where the loss is
 * one of `layersLoss`; Layers would insist on targets of the output's shape. Other outputs keep their checks.
 *
 * May be called before or after `compile`, and holds for every later `compile`, which takes criteria for losses from
 * then on (see `compileWithLoss`). Class indices are `[N]`, `[N, 1]`, `[N, T]`, `[N, T, 1]`, `[N, H, W]`, ..., int32 or
 * float32.
 *
 * @returns The model.
 *
 * @example
 * ```ts
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * model.compile({ optimizer: 'sgd', loss: layersLoss(new CrossEntropyLoss()) });
 * acceptIndexTargets(model);
 * await model.fit(tf.randomNormal([6, 4]), tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'));
 * ```
 */
export function acceptIndexTargets<M extends Model>(model: M): M {
  if (typeof model?.compile !== 'function') throw expected('`model`', 'a tf.LayersModel', model);
  wrapCompile(model);
  prepare(model as unknown as ModelFields);
  return model;
}

const wrapped = new WeakSet<Model>();

/** Makes the `compile` of a model, or of a prototype of models, understand criteria and class indices. */
export function wrapCompile(owner: Model): void {
  if (wrapped.has(owner)) return;
  wrapped.add(owner);
  const { compile } = owner;
  const value = function (this: Model & ModelFields, args: CompileArgs): void {
    compile.call(this, compileArgs(this, args));
    prepare(this);
  };
  Object.defineProperty(owner, 'compile', { value, writable: true, configurable: true });
}

/** What is to be done after each `compile`. */
function prepare(model: ModelFields): void {
  const { lossFunctions = [], feedOutputShapes, outputs } = model.model ?? model;
  lossFunctions.forEach((lossFunction, i) => {
    const source = sourceOf(lossFunction);
    if (!source) return;
    feedOutputShapes[i] = null;
    warnOfActivation(outputs[i].sourceLayer, source.criterion);
    // Layers saves names of losses and metrics only, and cannot load those that it does not know.
    model.loss = {};
    model.metrics = [];
  });
}
