import type { AnyTensor } from '../contract/any-tensor';
import type { ClassWeight, CrossEntropyOptions, LinearCrossEntropyOptions, Reduction } from '../contract/options';
import { checkInteger } from './checks';
import { describe, expected } from './errors';

export const NLL_LOSS_DEFAULTS = { weight: null, ignoreIndex: -100, reduction: 'mean', dim: undefined } as const;
export const CROSS_ENTROPY_DEFAULTS = { ...NLL_LOSS_DEFAULTS, labelSmoothing: 0 } as const;

const LINEAR_CROSS_ENTROPY_DEFAULTS = {
  linearBias: null,
  weight: null,
  ignoreIndex: -100,
  reduction: 'mean',
  labelSmoothing: 0,
  batchChunkSize: undefined,
  shift: 0,
} as const;

/** Options with their defaults; that of `dim` depends on the input's rank. */
export interface ReadOptions<R extends Reduction> {
  readonly weight: ClassWeight | null;
  readonly ignoreIndex: number;
  readonly reduction: R;
  readonly dim: number | undefined;
  readonly labelSmoothing: number;
}

/** Those of the linear loss. */
export interface ReadLinearOptions<R extends Reduction> extends ReadOptions<R> {
  readonly linearBias: AnyTensor | null;
  readonly batchChunkSize: number | undefined;
  readonly shift: number;
}

/** The one place where the options of a loss are looked at, for function and class alike. */
export function readOptions<R extends Reduction>(
  options: CrossEntropyOptions<R>,
  defaults: object,
  functionName: string,
): ReadOptions<R> {
  const read = withDefaults(options, defaults, functionName) as ReadOptions<R>;
  const { ignoreIndex, reduction, labelSmoothing = 0 } = read;
  if (!['mean', 'sum', 'none'].includes(reduction)) {
    const got = typeof reduction === 'string' ? reduction : describe(reduction);
    throw new Error(`${got} is not a valid value for reduction. Expected 'mean', 'sum' or 'none'.`);
  }
  checkInteger(ignoreIndex, 'ignoreIndex');
  if (ignoreIndex !== (ignoreIndex | 0)) {
    throw new RangeError(`Expected \`ignoreIndex\` to be an int32, got ${ignoreIndex}.`);
  }
  if (typeof labelSmoothing !== 'number' || !(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new RangeError(`labelSmoothing must be between 0.0 and 1.0. Got: ${describe(labelSmoothing)}`);
  }
  return read;
}

/** The same for the linear loss, whose options are more; a class has others besides, with defaults of their own. */
export function readLinearOptions<R extends Reduction, Others extends object = object>(
  options: LinearCrossEntropyOptions<R> & Partial<Others>,
  functionName: string,
  others?: Others,
): ReadLinearOptions<R> & Others {
  const { linearBias, ...shared } = LINEAR_CROSS_ENTROPY_DEFAULTS;
  const defaults = { ...(others ?? { linearBias }), ...shared };
  const read = readOptions(options, defaults, functionName) as ReadLinearOptions<R> & Others;
  const { batchChunkSize, shift } = read;
  if (batchChunkSize !== undefined && !(Number.isInteger(batchChunkSize) && batchChunkSize > 0)) {
    throw expected('`batchChunkSize`', 'a positive integer', batchChunkSize);
  }
  if (!(Number.isInteger(shift) && shift >= 0)) throw expected('`shift`', 'an integer of 0 or more', shift);
  return read;
}

/**
 * The own properties of an object, all of them known, over their defaults. One that we do not know is most often
 * PyTorch's spelling of one that we do.
 */
export function withDefaults<T extends object>(options: T, defaults: object, functionName: string): T {
  if ({}.toString.call(options) !== '[object Object]') {
    throw expected(`the options of ${functionName}`, 'an object such as { dim: 1 }', options);
  }
  const known = Object.keys(defaults);
  const read = { ...defaults } as Record<string, unknown>;
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`${functionName} has no option \`${name}\`. Its options: ${known.join(', ')}.`);
    }
    if (value !== undefined) read[name] = value;
  }
  return read as T;
}
