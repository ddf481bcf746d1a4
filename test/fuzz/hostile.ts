import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  CrossEntropyLoss,
  crossEntropy,
  crossEntropyWithStats,
  LogSoftmax,
  logSoftmax,
  NLLLoss,
  nllLoss,
  Softmax,
  softmax,
} from 'tfjs-cross-entropy';
import { registerGraphOps } from 'tfjs-cross-entropy/graph';
import {
  acceptIndexTargets,
  compileWithLoss,
  installInLayers,
  layersAccuracy,
  layersLoss,
  layersPerplexity,
  loadCriterion,
  storeCriterion,
  topKAccuracy,
} from 'tfjs-cross-entropy/layers';
import { UNIT } from './approx';
import { solve } from './functions';
import type { Place, Verdict } from './judge';
import type { FuzzCase } from './problem';

/**
 * Calls as nobody should make them: arguments of any type, shape and value, some of them right by chance. Each gives what
 * is right, or throws an error that is documented; an independent statement of what is allowed says which.
 */

/** A tensor as it is made for a call. */
interface TensorRecipe {
  readonly tensor: { readonly shape: number[]; readonly dtype: 'float32' | 'int32' | 'bool' | 'string' | 'complex64' };
  readonly values: number[];
  readonly isDisposed: boolean;
}

const isRecipe = (x: unknown): x is TensorRecipe => typeof x === 'object' && x !== null && 'isDisposed' in x;

export interface HostileCall {
  readonly name: string;
  readonly args: readonly unknown[];
}

// ---- What is drawn.

const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, Number.NaN, Infinity, -1, 0.5, 2 ** 31, '', 'mean', 1n, Symbol('s')),
  fc.constantFrom<unknown>(
    [],
    {},
    [[1, 2]],
    () => 0,
    new Map(),
    new Date(0),
    new Float32Array(3),
    /x/,
    Object.create(null),
  ),
  fc.anything({ maxDepth: 1, withTypedArray: true }),
);

const dims = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const usually = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<unknown>, percent = 90): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: percent, arbitrary: usual as fc.Arbitrary<unknown> }, { weight: 100 - percent, arbitrary: rare });

const tensorOf = (
  shape: number[],
  dtype: TensorRecipe['tensor']['dtype'],
  value: fc.Arbitrary<number> = fc.integer({ min: -4, max: 4 }),
): fc.Arbitrary<TensorRecipe> =>
  fc.record({
    tensor: fc.constant({ shape, dtype }),
    values: fc.array(value, { minLength: sizeOf(shape), maxLength: sizeOf(shape) }),
    isDisposed: fc.integer({ min: 1, max: 40 }).map((i) => i === 40),
  });

const anyTensor = dims.chain((shape) =>
  fc
    .constantFrom('float32' as const, 'int32' as const, 'bool' as const, 'string' as const, 'complex64' as const)
    .chain((dtype) => tensorOf(shape, dtype)),
);

/** Labels that fit the logits' shape or do not, or probabilities. */
function targetFor(shape: number[]): fc.Arbitrary<unknown> {
  const axis = Math.min(1, Math.max(shape.length - 1, 0));
  const rows = shape.filter((_, i) => i !== axis);
  const C = shape[axis] ?? 1;
  const label = fc.oneof(
    { weight: 30, arbitrary: fc.nat(Math.max(C - 1, 0)) },
    { weight: 1, arbitrary: fc.constantFrom(-1, C, -100, 255, 2 ** 31 - 1) },
  );
  const dtype = usually(fc.constant('int32' as const), fc.constantFrom('float32' as const, 'bool' as const), 92);
  const labelled = (shape: number[]) =>
    dtype.chain((dtype) => tensorOf(shape, dtype as 'int32', dtype === 'bool' ? fc.nat(1) : label));
  return fc.oneof(
    { weight: 12, arbitrary: labelled(rows) },
    {
      weight: 5,
      arbitrary: tensorOf(
        shape,
        'float32',
        fc.nat(8).map((i) => i / 8),
      ),
    },
    { weight: 1, arbitrary: labelled(shape.map((size, i) => (i === axis ? 1 : size))) },
    { weight: 1, arbitrary: labelled([...rows, 1]) },
    { weight: 1, arbitrary: labelled(shape.slice(0, -1)) },
    { weight: 1, arbitrary: anyTensor },
    { weight: 1, arbitrary: junk },
  );
}

/** An object with some of these properties. */
const some = (entries: Record<string, fc.Arbitrary<unknown>>) => fc.record(entries, { requiredKeys: [] });

function optionsFor(classes: number): fc.Arbitrary<unknown> {
  const weights = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: classes, maxLength: classes });
  const weight = fc.oneof(
    weights,
    weights.map((values) => Float32Array.from(values)),
    weights.map((values) => Int32Array.from(values)),
    tensorOf([classes], 'float32', fc.nat(4)),
    fc.constant(null),
  );
  const other = fc.oneof(fc.array(fc.nat(4), { maxLength: 5 }), tensorOf([1, classes], 'float32'), anyTensor, junk);
  const options = some({
    weight: usually(weight, other),
    ignoreIndex: usually(fc.constantFrom(-100, -1, 0, 1, 255), junk),
    reduction: usually(fc.constantFrom('mean', 'sum', 'none'), junk),
    labelSmoothing: usually(fc.constantFrom(0, 0.1, 1), junk),
    dim: usually(fc.constantFrom(1, -1, 0, undefined), fc.oneof(fc.integer(), junk)),
  });
  const misspelled = fc
    .tuple(options, fc.constantFrom('ignore_index', 'axis', 'constructor', 'size_average'))
    .map(([options, name]) => ({ ...options, [name]: 1 }));
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 20, arbitrary: options },
    { weight: 1, arbitrary: misspelled },
    { weight: 1, arbitrary: junk },
  );
}

const logits = usually(
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }).chain((shape) => tensorOf(shape, 'float32')),
  fc.oneof(anyTensor, junk),
);
const shapeOf = (x: unknown) => (isRecipe(x) ? x.tensor.shape : [2, 3]);
const classesOf = (x: unknown) => shapeOf(x)[Math.min(1, shapeOf(x).length - 1)] ?? 1;
const named = (...names: string[]) => fc.constantFrom(...names);

const lossCall: fc.Arbitrary<HostileCall> = logits.chain((input) =>
  fc.record({
    name: named('crossEntropy', 'crossEntropyWithStats', 'nllLoss', 'CrossEntropyLoss', 'NLLLoss'),
    args: fc.tuple(fc.constant(input), targetFor(shapeOf(input)), optionsFor(classesOf(input))),
  }),
);

const softmaxCall: fc.Arbitrary<HostileCall> = fc.record({
  name: named('softmax', 'logSoftmax', 'Softmax', 'LogSoftmax'),
  args: fc.tuple(logits, usually(fc.integer({ min: -3, max: 3 }), junk)),
});

const optionsAlone = fc.integer({ min: 1, max: 4 }).chain(optionsFor);
const criterion = usually(
  fc.constantFrom('a CrossEntropyLoss', 'an NLLLoss', 'one with the reduction none', 'a disposed one'),
  junk,
  80,
);
const layersOptions = fc.oneof(fc.constant(undefined), some({ axis: usually(fc.constantFrom(-1, 1), junk) }), junk);

const otherCall: fc.Arbitrary<HostileCall> = fc.oneof(
  fc.record({ name: named('CrossEntropyLoss.fromConfig', 'NLLLoss.fromConfig'), args: fc.tuple(optionsAlone) }),
  fc.record({
    name: named('Softmax.fromConfig', 'LogSoftmax.fromConfig'),
    args: fc.tuple(usually(some({ dim: usually(fc.integer(), junk) }), junk)),
  }),
  fc.record({
    name: named('layersLoss', 'layersAccuracy', 'layersPerplexity'),
    args: fc.tuple(criterion, layersOptions),
  }),
  fc.record({
    name: fc.constant('topKAccuracy'),
    args: fc.tuple(usually(fc.integer({ min: 0, max: 3 }), junk), criterion, layersOptions),
  }),
  logits.chain((input) =>
    fc.record({
      name: named('layersLoss()', 'layersAccuracy()', 'layersPerplexity()', 'topKAccuracy()'),
      args: fc.tuple(targetFor(shapeOf(input)), fc.constant(input)),
    }),
  ),
  fc.record({
    name: named('acceptIndexTargets', 'loadCriterion', 'installInLayers', 'registerGraphOps'),
    args: fc.tuple(junk),
  }),
  fc.record({ name: named('compileWithLoss', 'storeCriterion'), args: fc.tuple(junk, criterion) }),
);

export const hostileCall: fc.Arbitrary<HostileCall> = fc.oneof(
  { weight: 6, arbitrary: lossCall },
  { weight: 2, arbitrary: softmaxCall },
  { weight: 2, arbitrary: otherCall },
);

// ---- What is called.

type Function = (...args: never[]) => unknown;

const criteria = {
  'a CrossEntropyLoss': () => new CrossEntropyLoss(),
  'an NLLLoss': () => new NLLLoss(),
  'one with the reduction none': () => new CrossEntropyLoss({ reduction: 'none' }),
  'a disposed one': () => {
    const criterion = new NLLLoss({ weight: [1, 2] });
    criterion.dispose();
    return criterion;
  },
} as const;

/** Disposes of what the caller does not get to see. */
function using<C extends { dispose(): void }>(criterion: C, f: (criterion: C) => unknown): unknown {
  try {
    return f(criterion);
  } finally {
    criterion.dispose();
  }
}

const functions: Record<string, Function> = {
  crossEntropy,
  crossEntropyWithStats: (x: tf.Tensor, t: tf.Tensor, options: object) => {
    const { loss, correct, count } = crossEntropyWithStats(x, t, options);
    tf.dispose([correct, count]);
    return loss;
  },
  nllLoss,
  softmax,
  logSoftmax,
  CrossEntropyLoss: (x: tf.Tensor, t: tf.Tensor, options: object) =>
    using(new CrossEntropyLoss(options), (criterion) => criterion.forward(x, t)),
  NLLLoss: (x: tf.Tensor, t: tf.Tensor, options: object) =>
    using(new NLLLoss(options), (criterion) => criterion.forward(x, t)),
  Softmax: (x: tf.Tensor, dim: number) => new Softmax(dim).forward(x),
  LogSoftmax: (x: tf.Tensor, dim: number) => new LogSoftmax(dim).forward(x),
  'CrossEntropyLoss.fromConfig': (config: object) => using(CrossEntropyLoss.fromConfig(config), (c) => c.getConfig()),
  'NLLLoss.fromConfig': (config: object) => using(NLLLoss.fromConfig(config), (c) => c.getConfig()),
  'Softmax.fromConfig': (config: object) => Softmax.fromConfig(config).getConfig(),
  'LogSoftmax.fromConfig': (config: object) => LogSoftmax.fromConfig(config).getConfig(),
  layersLoss,
  layersAccuracy,
  layersPerplexity,
  topKAccuracy,
  'layersLoss()': (t: tf.Tensor, x: tf.Tensor) => layersLoss(new CrossEntropyLoss())(t, x),
  'layersAccuracy()': (t: tf.Tensor, x: tf.Tensor) => layersAccuracy(new CrossEntropyLoss())(t, x),
  'layersPerplexity()': (t: tf.Tensor, x: tf.Tensor) => layersPerplexity(new CrossEntropyLoss())(t, x),
  'topKAccuracy()': (t: tf.Tensor, x: tf.Tensor) => topKAccuracy(2)(t, x),
  acceptIndexTargets,
  compileWithLoss,
  installInLayers,
  registerGraphOps,
  storeCriterion,
  loadCriterion,
};

/** The errors that the README and the docstrings name. */
export const DOCUMENTED: readonly RegExp[] = [
  /^TypeError: Expected `\w+` to be a tf\.Tensor, got /,
  /^Error: Expected `\w+` to be a live tensor, but it has been disposed/,
  /^TypeError: Expected the options of \w+ to be an object such as /,
  /^TypeError: \w+ has no option `.*`\. Its options: /s,
  /^TypeError: Expected `(dim|ignoreIndex|axis)` to be an integer, got /,
  /^RangeError: Expected `ignoreIndex` to be an int32, got /,
  /^Error: .* is not a valid value for reduction/s,
  /^RangeError: labelSmoothing must be between 0\.0 and 1\.0\. Got: /,
  /^TypeError: Expected `weight` to be an array of numbers or a tf\.Tensor, got /,
  /^TypeError: `weight` must hold numbers, got /,
  /^Error: Expected `weight` to be of shape \[C\], got /,
  /^Error: (cross_entropy: )?weight tensor should be defined either for all/,
  /^TypeError: expected scalar type Float but found /,
  /^TypeError: "\w+" not implemented for '\w+'/,
  /^RangeError: Dimension out of range /,
  /^Error: Expected 1 or more dimensions \(got 0\)/,
  /^Error: For 1D input, 1D target must have size 1, /,
  /^Error: Expected input batch_size \(\d+\) to match target batch_size /,
  /^Error: 0D or 1D target tensor expected, multi-target not supported/,
  /^Error: only batches of spatial targets supported /,
  /^Error: Expected target size \[/,
  /^Error: size mismatch \(got input: /,
  /^TypeError: expected target dtype to be int32, but got /,
  /^TypeError: Expected floating point type for target with class probabilities, got /,
  /^Error: ignoreIndex is not supported for floating point target/,
  /^RangeError: Target -?\d+ is out of bounds\./,
  /^TypeError: Expected `criterion` to be a CrossEntropyLoss or an NLLLoss, got /,
  /^Error: Layers needs one loss for a batch: /,
  /^TypeError: Expected `k` to be a whole number from 1, got /,
  /^TypeError: Expected `model` to be a tf\.LayersModel, got /,
  /^TypeError: Expected `tf` to be /,
  /^TypeError: Expected `yTrue` to hold class indices or probabilities, got /,
  /^Error: Expected `yPred` to be a batch, /,
  /^Error: The model holds no criterion/,
  /^Error: This \w+ is disposed/,
];

// ---- What is allowed: said once more, independently of the package's own checks.

/** `null` for a call that must throw; the case that it stands for, where its value can be looked up; else `undefined`. */
function meaningOf({ name, args }: HostileCall): FuzzCase | null | undefined {
  const kind = KINDS[name];
  if (kind === 'softmax' || kind === 'logSoftmax') return softmaxOf(kind, args, /^[A-Z]/.test(name));
  return kind && lossOf(kind, args);
}

const KINDS: Record<string, Exclude<FuzzCase['kind'], 'linearCrossEntropy'> | undefined> = {
  crossEntropy: 'crossEntropy',
  crossEntropyWithStats: 'crossEntropy',
  CrossEntropyLoss: 'crossEntropy',
  nllLoss: 'nllLoss',
  NLLLoss: 'nllLoss',
  softmax: 'softmax',
  Softmax: 'softmax',
  logSoftmax: 'logSoftmax',
  LogSoftmax: 'logSoftmax',
};

const SPELLING = { by: 'function', dim: 'counted from the start', weight: 'array' } as const;
const isLive = (x: unknown, dtype: string): x is TensorRecipe =>
  isRecipe(x) && !x.isDisposed && x.tensor.dtype === dtype;

function softmaxOf(kind: 'softmax' | 'logSoftmax', [x, given]: readonly unknown[], isClass: boolean): FuzzCase | null {
  let dim = given;
  if (isClass && typeof given === 'object') {
    if (!isPlain(given) || Object.keys(given).some((key) => key !== 'dim')) return null;
    dim = (given as { dim?: unknown }).dim;
  }
  if (!isLive(x, 'float32')) return null;
  const { shape } = x.tensor;
  const rank = Math.max(shape.length, 1);
  if (dim === undefined) dim = rank === 1 || rank === 3 ? 0 : 1;
  if (!Number.isInteger(dim) || (dim as number) < -rank || (dim as number) >= rank) return null;
  const zeros = x.values.map(() => 0);
  const axis = ((dim as number) + rank) % rank;
  return { kind, shape, dim: axis, input: x.values, upstream: zeros, direction: zeros, spelling: SPELLING };
}

const isPlain = (x: unknown): x is object => Object.prototype.toString.call(x) === '[object Object]';

function lossOf(kind: 'crossEntropy' | 'nllLoss', [x, t, given = {}]: readonly unknown[]): FuzzCase | null {
  if (!isPlain(given) || isRecipe(given)) return null;
  const known = ['weight', 'ignoreIndex', 'reduction', 'dim', ...(kind === 'crossEntropy' ? ['labelSmoothing'] : [])];
  if (Object.keys(given).some((key) => !known.includes(key))) return null;
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<
    string,
    unknown
  >;
  const { ignoreIndex = -100, reduction = 'mean', labelSmoothing = 0, weight = null } = options;
  if (!Number.isInteger(ignoreIndex) || Math.abs((ignoreIndex as number) + 0.5) > 2 ** 31) return null;
  if (!(['mean', 'sum', 'none'] as unknown[]).includes(reduction)) return null;
  if (typeof labelSmoothing !== 'number' || !(labelSmoothing >= 0 && labelSmoothing <= 1)) return null;
  if (!isLive(x, 'float32') || !isRecipe(t) || t.isDisposed) return null;
  const { shape } = x.tensor;
  const rank = shape.length;
  if (rank === 0) return null;
  const { dim = rank === 1 ? 0 : 1 } = options as { dim?: number };
  if (!Number.isInteger(dim) || dim < -rank || dim >= rank) return null;
  const axis = (dim + rank) % rank;
  const isProbability = String(t.tensor.shape) === String(shape) && t.tensor.shape.length === rank;
  if (isProbability && (kind === 'nllLoss' || t.tensor.dtype !== 'float32' || (ignoreIndex as number) >= 0))
    return null;
  const rows = shape.filter((_, i) => i !== axis);
  if (!isProbability) {
    if (t.tensor.dtype !== 'int32' || JSON.stringify(rows) !== JSON.stringify(t.tensor.shape)) return null;
  }
  const weights = weightsOf(weight, shape[axis]);
  if (weights === undefined) return null;
  return {
    kind,
    shape,
    dim: axis,
    input: x.values,
    target: isProbability ? { probabilities: t.values } : { indices: t.values },
    weight: weights,
    ignoreIndex: ignoreIndex as number,
    reduction: reduction as 'mean',
    labelSmoothing: labelSmoothing as number,
    upstream: reduction === 'none' ? new Array(sizeOf(rows)).fill(0) : [0],
    direction: x.values.map(() => 0),
    spelling: SPELLING,
  };
}

function weightsOf(weight: unknown, classes: number): number[] | null | undefined {
  if (weight === null) return null;
  if (isRecipe(weight)) {
    return isLive(weight, 'float32') && String(weight.tensor.shape) === String([classes]) ? weight.values : undefined;
  }
  const isArray = Array.isArray(weight) || (ArrayBuffer.isView(weight) && !(weight instanceof DataView));
  if (!isArray) return undefined;
  const values = Array.from(weight as ArrayLike<unknown>);
  return values.length === classes && values.every((x) => typeof x === 'number') ? values.map(Math.fround) : undefined;
}

// ---- Whether what comes is what must.

/** The tensors of a call's arguments, one level deep. */
function materialise(x: unknown, isTop = true): unknown {
  if (isRecipe(x)) return make(x);
  if (typeof x === 'string' && x in criteria) return criteria[x as keyof typeof criteria]();
  if (!isTop || !isPlain(x)) return x;
  const made = Object.create(Object.getPrototypeOf(x));
  for (const [key, value] of Object.entries(x)) {
    Object.defineProperty(made, key, { value: materialise(value, false), enumerable: true });
  }
  return made;
}

function make({ tensor: { shape, dtype }, values, isDisposed }: TensorRecipe): tf.Tensor {
  let x: tf.Tensor;
  if (dtype === 'complex64' && tf.getKernel('Complex', tf.getBackend()))
    x = tf.complex(tf.tensor(values, shape), tf.tensor(values, shape));
  else if (dtype === 'string' || dtype === 'complex64') x = tf.tensor(values.map(String), shape, 'string');
  else if (dtype === 'bool') x = tf.tensor(values.map((v) => (v === 0 ? 0 : 1)) as never, shape, 'bool');
  else x = tf.tensor(values, shape, dtype);
  if (isDisposed) x.dispose();
  return x;
}

/** What a hostile call led to: a verdict, and which documented error was thrown, or `null`. */
export interface Outcome extends Verdict {
  readonly thrown: string | null;
}

export async function judgeCall(call: HostileCall, place: Place): Promise<Outcome> {
  tf.engine().startScope();
  try {
    return await outcomeOf(call, place);
  } finally {
    tf.engine().endScope();
  }
}

async function outcomeOf(call: HostileCall, place: Place): Promise<Outcome> {
  const args = call.args.map((x) => materialise(x));
  const counts = () => [tf.memory().numTensors, tf.engine().backend.numDataIds()];
  const before = counts();
  const outcome = (fault: string | null, thrown: string | null = null) => {
    return { fault, thrown, worst: 0, compared: 1, undecided: 0 };
  };
  let result: unknown;
  let thrown: string | null = null;
  try {
    result = functions[call.name](...(args as never[]));
  } catch (error) {
    thrown = error instanceof Error ? `${error.name}: ${error.message}` : `not an Error: ${typeof error}`;
  }
  let got: ArrayLike<number> | null = null;
  if (result instanceof tf.Tensor) {
    got = (await result.data()) as Float32Array;
    result.dispose();
  }
  const leaks = counts().map((count, i) => count - before[i]);
  if (leaks.some((leak) => leak !== 0)) return outcome(`${leaks[0]} tensors and ${leaks[1]} buffers leaked`, thrown);

  const documented = thrown && DOCUMENTED.find((pattern) => pattern.test(thrown as string));
  if (thrown && !documented) return outcome(`an error that is not documented: ${thrown}`);
  const meaning = meaningOf(call);
  if (meaning === undefined) return outcome(null, thrown && String(documented));
  if (meaning === null) {
    return outcome(thrown ? null : 'what is not allowed was not refused', thrown && String(documented));
  }
  const { results, error } = solve(meaning);
  if (error && place.seesLabels) {
    return outcome(
      thrown?.startsWith(`RangeError: ${error}`) ? null : `expected ${error}, got ${thrown}`,
      String(documented),
    );
  }
  if (thrown) return outcome(`what is allowed was refused: ${thrown}`);
  const want = results.value;
  if (got?.length !== want.length) return outcome(`expected ${want.length} numbers, got ${got?.length}`);
  for (const [i, { value, error }] of want.entries()) {
    const off = Math.abs(got[i] - value);
    if (Object.is(got[i], value) || got[i] === value || off <= place.allowance * UNIT * error + 2 ** -126) continue;
    if (error === Number.POSITIVE_INFINITY || (place.isGpu && Number.isNaN(got[i]) && !Number.isFinite(value)))
      continue;
    return outcome(`element ${i} of ${want.length}: expected ${value}, got ${got[i]}`);
  }
  return outcome(null);
}
