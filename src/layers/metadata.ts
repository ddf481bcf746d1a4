import { expected } from '../functional/errors';
import { CrossEntropyLoss } from '../nn/cross-entropy-loss';
import { NLLLoss } from '../nn/nll-loss';
import { type Criterion, checkCriterion, classNameOf } from './criterion';
import { checkModel, type PerOutput } from './model';
import { mapOutputs } from './per-output';

const CLASSES = new Map<unknown, typeof CrossEntropyLoss | typeof NLLLoss>([
  ['CrossEntropyLoss', CrossEntropyLoss],
  ['NLLLoss', NLLLoss],
]);

/** A criterion as JSON, in the form that Layers gives its layers. */
interface Serialized {
  readonly className: ReturnType<typeof classNameOf>;
  readonly config: ReturnType<Criterion['getConfig']>;
}

/** What is used of a model: a `tf.LayersModel` of any copy of TensorFlow.js has it. */
export interface WithMetadata {
  /** What was set, and what a loaded model was saved with. */
  getUserDefinedMetadata(): object | undefined;
  /**
   * In place of what was there.
   *
   * @param metadata All of it.
   */
  setUserDefinedMetadata(metadata: object): void;
}

const KEY = 'tfjs-cross-entropy';

/**
 * Stores a criterion's configuration in the model's user-defined metadata, beside what is there, so that `model.save` keeps it:
 * Layers itself saves no loss that it does not know.
 *
 * @param model A `tf.LayersModel`, of any copy of TensorFlow.js.
 * @param criterion A criterion; with several outputs, an array or dictionary of them.
 * @throws TypeError for what is no criterion, and Error for one that is disposed.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { CrossEntropyLoss } from 'tfjs-cross-entropy';
 * import { compileWithLoss, loadCriterion, storeCriterion } from 'tfjs-cross-entropy/layers';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * storeCriterion(model, new CrossEntropyLoss({ ignoreIndex: 0 }));
 * // await model.save(URL), and elsewhere model = await tf.loadLayersModel(URL)
 * const criterion = loadCriterion(model) as CrossEntropyLoss;
 * compileWithLoss(model, { optimizer: 'adam', loss: criterion });
 * console.log(criterion.ignoreIndex); // 0
 * ```
 *
 * @see {@link loadCriterion}, which is the way back.
 */
export function storeCriterion(model: WithMetadata, criterion: PerOutput<Criterion>): void {
  checkModel(model, 'getUserDefinedMetadata', 'setUserDefinedMetadata');
  const serialized = mapOutputs(criterion, serialize);
  model.setUserDefinedMetadata({ ...model.getUserDefinedMetadata(), [KEY]: serialized });
}

/**
 * The criterion that {@link storeCriterion} stored in a model, made anew; with several outputs, as they were given.
 *
 * @param model A `tf.LayersModel`, loaded or not.
 * @returns A criterion that is yours: to dispose of, if it has class weights.
 * @throws Error where the model holds none, and TypeError where it holds something else.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { NLLLoss } from 'tfjs-cross-entropy';
 * import { loadCriterion, storeCriterion } from 'tfjs-cross-entropy/layers';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * storeCriterion(model, new NLLLoss({ reduction: 'sum' }));
 * console.log((loadCriterion(model) as NLLLoss<'sum'>).reduction); // sum
 * ```
 *
 * @see {@link storeCriterion}, with saving and loading.
 */
export function loadCriterion(model: WithMetadata): PerOutput<Criterion> {
  checkModel(model, 'getUserDefinedMetadata', 'setUserDefinedMetadata');
  const metadata = model.getUserDefinedMetadata() as { [KEY]?: PerOutput<Serialized> } | undefined;
  if (!metadata?.[KEY])
    throw new Error('The model holds no criterion. Put one there by storeCriterion(model, criterion).');
  return mapOutputs(metadata[KEY], deserialize, (x) => typeof x !== 'object' || x === null || 'className' in x);
}

function serialize(criterion: Criterion): Serialized {
  checkCriterion(criterion);
  return { className: classNameOf(criterion), config: criterion.getConfig() };
}

function deserialize(stored: Serialized): Criterion {
  const Class = CLASSES.get(stored?.className);
  if (!Class)
    throw expected("the model's stored criterion", "{ className: 'CrossEntropyLoss' or 'NLLLoss', config }", stored);
  return Class.fromConfig(stored.config);
}
