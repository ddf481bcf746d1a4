import { expected } from '../functional/errors';
import { CrossEntropyLoss } from '../nn/cross-entropy-loss';
import { NLLLoss } from '../nn/nll-loss';
import { type Criterion, checkCriterion, classNameOf } from './criterion';
import type { PerOutput } from './model';
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

interface WithMetadata {
  getUserDefinedMetadata(): object | undefined;
  setUserDefinedMetadata(metadata: object): void;
}

const KEY = 'tfjs-cross-entropy';

/**
 * Stores a criterion's configuration in the model's user-defined metadata, beside what is there, so that `model.save`
 * keeps it: Layers itself saves no loss that it does not know. With several outputs, an array or dictionary of them.
 *
 * @example
 * ```ts
 * storeCriterion(model, criterion);
 * await model.save('file:///tmp/model', { includeOptimizer: true });
 *
 * const loaded = await tf.loadLayersModel('file:///tmp/model/model.json');
 * compileWithLoss(loaded, { optimizer: loaded.optimizer, loss: loadCriterion(loaded) });
 * ```
 */
export function storeCriterion(model: WithMetadata, criterion: PerOutput<Criterion>): void {
  const serialized = mapOutputs(criterion, serialize);
  model.setUserDefinedMetadata({ ...model.getUserDefinedMetadata(), [KEY]: serialized });
}

/** The criterion that `storeCriterion` stored in a model, made anew; with several outputs, as they were given. */
export function loadCriterion(model: WithMetadata): PerOutput<Criterion> {
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
