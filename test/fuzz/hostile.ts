import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { solve } from './functions';
import { functions, type HostileCall, hostileCall, linearParameters, materialise } from './hostile-calls';
import { isPlain, isRecipe, sizeOf, type TensorRecipe } from './hostile-values';
import { faultOfNumbers, type Place } from './judge';
import type { FuzzCase, LinearCase, LossCase } from './problem';
import { shrink } from './shrink';

/**
 * Hostile calls: each gives what is right, or throws an error that is documented; an independent statement of what is
 * allowed says which. Nothing leaks.
 */

/** The errors that docs/errors.md and the docstrings name. */
const DOCUMENTED: readonly RegExp[] = [
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
  /^Error: This \w+ is disposed/,
  /^TypeError: Expected `forward` to be called as criterion\.forward/,
  // linearCrossEntropy
  /^Error: expected (input|linearWeight) with dimensionality /,
  /^Error: expected equal input and linearWeight last dimensions /,
  /^Error: expected linearBias shape /,
  /^Error: K-dimensional loss defined by linearWeight shape /,
  /^Error: Expected `input` to be of shape \[N, T, D\] where shift is /,
  /^Error: ignoreIndex cannot be specified when target contains probabilities/,
  /^TypeError: Expected `(inFeatures|numClasses|batchChunkSize)` to be a positive integer, got /,
  /^TypeError: Expected `shift` to be an integer of 0 or more, got /,
  /^TypeError: Expected `bias` to be true or false, got /,
  // tfjs-cross-entropy/layers
  /^TypeError: Expected `criterion` to be a CrossEntropyLoss or an NLLLoss, got /,
  /^Error: Layers needs one loss for a batch: /,
  /^TypeError: Expected `k` to be a whole number from 1, got /,
  /^TypeError: Expected `model` to be a tf\.LayersModel, got /,
  /^TypeError: Expected `tf` to be /,
  /^TypeError: Expected `yTrue` to hold class indices or probabilities, got /,
  /^Error: Expected `yPred` to be a batch, /,
  /^Error: NLLLoss takes class indices, but the target has the output's shape /,
  /^Error: The model holds no criterion/,
  /^TypeError: Expected the model's stored criterion to be /,
  /^TypeError: Expected a metric to be the name of one, or a function, got /,
  /^Error: The metric '\w+' is for outputs that a criterion trains, /,
  /^TypeError: Expected what `compile` is given to be an object such as /,
  // tfjs-cross-entropy/graph
  /^Error: logits must be 2-D, \[N, C\], but got shape /,
  /^TypeError: Expected the inputs of \w+ to hold real numbers, got /,
  /^Error: Operands could not be broadcast together /,
];

/** What Layers throws of losses, metrics and targets that it does not know; it may leave tensors behind. */
const OF_LAYERS: readonly RegExp[] = [
  /^Error: Unknown (loss|metric) /,
  /^Error: Unknown entry in loss dictionary: /,
  /^Error: When passing an Array as loss, it should have one entry per model output/,
  /^Error: No data provided for /,
  /^Error: Input Tensors should have the same number of samples as target Tensors/,
  /^Error: Expected tensor to be at least 1D, /,
];

// ---- What is allowed: said once more, independently of the package's own checks.

type Args = readonly unknown[];
type Meaning = FuzzCase | null | undefined;

/** `null` for a call that must throw; the case that it stands for, where its value can be looked up; else `undefined`. */
const meanings: Record<string, (args: Args) => Meaning> = {
  crossEntropy: (args) => lossOf('crossEntropy', args),
  crossEntropyWithStats: (args) => lossOf('crossEntropy', args),
  CrossEntropyLoss: (args) => lossOf('crossEntropy', args),
  'CrossEntropyLoss, with stats': (args) => lossOf('crossEntropy', args),
  nllLoss: (args) => lossOf('nllLoss', args),
  NLLLoss: (args) => lossOf('nllLoss', args),
  softmax: (args) => softmaxOf('softmax', args),
  logSoftmax: (args) => softmaxOf('logSoftmax', args),
  Softmax: (args) => softmaxOf('softmax', args, true),
  LogSoftmax: (args) => softmaxOf('logSoftmax', args, true),
  linearCrossEntropy: linearOf,
  LinearCrossEntropyLoss: linearClassOf,
  'LinearCrossEntropyLoss, with stats': linearClassOf,
  'a method after dispose': () => null,
  'a method torn off': () => null,
  SparseSoftmaxCrossEntropyWithLogits: ([x, t]) => plain(x, t, 'int32', { reduction: 'none', dim: 1 }),
  SoftmaxCrossEntropyWithLogits: ([x, t]) => plain(x, t, 'float32', { reduction: 'none', dim: 1 }),
  // Of a softmax the logits are looked up, as they are here.
  evaluate: ([x, t, name]) => (name === 'a CrossEntropyLoss' ? plain(x, t, 'int32', { dim: -1 }) : undefined),
};

/** What of the results each call gives, where it is not all. */
const partial: Record<string, string[]> = {
  SoftmaxCrossEntropyWithLogits: ['value'], // its gradient is TensorFlow's
};

/** A call that is plainly right: otherwise these functions bring tensors into shape first. */
function plain(x: unknown, t: unknown, dtype: string, options: object): Meaning {
  if (!isLive(x, 'float32') || !isLive(t, dtype) || sizeOf(x.tensor.shape) === 0) return undefined;
  const { shape } = x.tensor;
  const isClass = (label: number) => label >= 0 && label < shape.at(-1)!;
  const isIndices = dtype === 'int32';
  if (String(t.tensor.shape) !== String(isIndices ? shape.slice(0, -1) : shape)) return undefined;
  return isIndices && !t.values.every(isClass) ? undefined : (lossOf('crossEntropy', [x, t, options]) ?? undefined);
}

const SPELLING = { by: 'function', dim: 'counted from the start', weight: 'array' } as const;
const isLive = (x: unknown, dtype: string): x is TensorRecipe =>
  isRecipe(x) && !x.isDisposed && x.tensor.dtype === dtype;
const ones = (length: number) => new Array<number>(length).fill(1);

function softmaxOf(kind: 'softmax' | 'logSoftmax', [x, given]: Args, isClass = false): Meaning {
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
  const direction = x.values.map(() => 0);
  const axis = ((dim as number) + rank) % rank;
  return { kind, shape, dim: axis, input: x.values, upstream: ones(x.values.length), direction, spelling: SPELLING };
}

/** Options of a loss, if they are allowed. */
function readOptions(given: unknown, others: string[]) {
  if (!isPlain(given) || isRecipe(given)) return null;
  const known = ['weight', 'ignoreIndex', 'reduction', ...others];
  if (Object.keys(given).some((key) => !known.includes(key))) return null;
  const options: Record<string, unknown> = Object.fromEntries(Object.entries(given).filter(([, x]) => x !== undefined));
  const { ignoreIndex = -100, reduction = 'mean', labelSmoothing = 0, weight = null } = options;
  if (!Number.isInteger(ignoreIndex) || Math.abs((ignoreIndex as number) + 0.5) > 2 ** 31) return null;
  if (!(['mean', 'sum', 'none'] as unknown[]).includes(reduction)) return null;
  if (typeof labelSmoothing !== 'number' || !(labelSmoothing >= 0 && labelSmoothing <= 1)) return null;
  return {
    ...options,
    ignoreIndex: ignoreIndex as number,
    reduction: reduction as LossCase['reduction'],
    labelSmoothing,
    weight,
  } as { [name: string]: unknown } & Pick<LossCase, 'ignoreIndex' | 'reduction' | 'labelSmoothing'>;
}

function lossOf(kind: 'crossEntropy' | 'nllLoss', [x, t, given = {}]: Args): LossCase | null {
  const options = readOptions(given, ['dim', ...(kind === 'crossEntropy' ? ['labelSmoothing'] : [])]);
  if (!options) return null;
  const { ignoreIndex, reduction, labelSmoothing } = options;
  if (!isLive(x, 'float32') || !isRecipe(t) || t.isDisposed) return null;
  const { shape } = x.tensor;
  const rank = shape.length;
  if (rank === 0) return null;
  const { dim = rank === 1 ? 0 : 1 } = options as { dim?: number };
  if (!Number.isInteger(dim) || dim < -rank || dim >= rank) return null;
  const axis = (dim + rank) % rank;
  const isProbability = JSON.stringify(t.tensor.shape) === JSON.stringify(shape);
  if (isProbability && (kind === 'nllLoss' || t.tensor.dtype !== 'float32' || ignoreIndex >= 0)) return null;
  const rows = shape.filter((_, i) => i !== axis);
  if (!isProbability) {
    if (t.tensor.dtype !== 'int32' || JSON.stringify(rows) !== JSON.stringify(t.tensor.shape)) return null;
  }
  const weight = weightsOf(options.weight, shape[axis]);
  if (weight === undefined) return null;
  return {
    kind,
    shape,
    dim: axis,
    input: x.values,
    target: isProbability ? { probabilities: t.values } : { indices: t.values },
    weight,
    ignoreIndex,
    reduction,
    labelSmoothing,
    upstream: ones(reduction === 'none' ? sizeOf(rows) : 1),
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

const LINEAR = ['labelSmoothing', 'batchChunkSize', 'shift'];

function linearOf([x, w, t, given = {}]: Args): LinearCase | null {
  const options = readOptions(given, [...LINEAR, 'linearBias']);
  if (!options) return null;
  const { ignoreIndex, reduction, labelSmoothing, linearBias: b = null, batchChunkSize = 1, shift = 0 } = options;
  if (!Number.isInteger(batchChunkSize) || (batchChunkSize as number) < 1) return null;
  if (!Number.isInteger(shift) || (shift as number) < 0) return null;
  if (!isLive(x, 'float32') || !isLive(w, 'float32') || !isRecipe(t) || t.isDisposed) return null;
  if (b !== null && !isLive(b, 'float32')) return null;
  const positions = x.tensor.shape.slice(0, -1);
  const units = w.tensor.shape.slice(0, -1);
  const features = x.tensor.shape.at(-1)!;
  if (x.tensor.shape.length === 0 || units.length === 0 || features !== w.tensor.shape.at(-1)) return null;
  if (positions.length > 2 || (positions.length !== 1 && units.length > 1)) return null;
  if ((shift as number) > 0 && positions.length !== 2) return null;
  if (b !== null && JSON.stringify(b.tensor.shape) !== JSON.stringify(units)) return null;
  const fits = (...shape: number[]) => JSON.stringify(shape) === JSON.stringify(t.tensor.shape);
  const isProbability = fits(...positions, ...units);
  if (isProbability ? t.tensor.dtype !== 'float32' || ignoreIndex !== -100 : t.tensor.dtype !== 'int32') return null;
  if (!isProbability && !fits(...positions, ...units.slice(1))) return null;
  const [C, targets] = [units[0], sizeOf(units.slice(1))];
  const weight = weightsOf(options.weight, C);
  if (weight === undefined) return null;
  const rows = keptRows(positions, shift as number);
  const of = (values: readonly number[], size: number, rows: readonly number[]) =>
    rows.flatMap((row) => values.slice(row * size, (row + 1) * size));
  return {
    kind: 'linearCrossEntropy',
    shape: [rows.of.input.length, C, ...(units.length > 1 ? [targets] : [])],
    dim: 1,
    features,
    input: of(x.values, features, rows.of.input),
    linearWeight: w.values,
    linearBias: b?.values ?? null,
    target: isProbability
      ? { probabilities: of(t.values, C * targets, rows.of.target) }
      : { indices: of(t.values, targets, rows.of.target) },
    weight,
    ignoreIndex,
    reduction,
    labelSmoothing,
    upstream: ones(reduction === 'none' ? rows.of.input.length * targets : 1),
    batchChunkSize: null,
    sequences: 0,
    shift: 0,
    direction: [],
    spelling: SPELLING,
  };
}

/** Which rows of the input, and of the target, remain where a target is `shift` positions ahead. */
function keptRows(positions: readonly number[], shift: number) {
  const all = Array.from({ length: sizeOf(positions) }, (_, row) => row);
  const length = positions.at(-1) ?? 1;
  const remains = (isKept: (position: number) => boolean) => all.filter((row) => isKept(row % length));
  return {
    count: all.length,
    of: { input: remains((i) => i < length - shift || shift === 0), target: remains((i) => i >= shift || shift === 0) },
  };
}

function linearClassOf([x, t, features, classes, given = {}]: Args): LinearCase | null {
  const isSize = (size: unknown): size is number => Number.isInteger(size) && (size as number) > 0;
  if (!isSize(features) || !isSize(classes)) return null;
  if (!isPlain(given) || isRecipe(given) || 'linearBias' in given) return null;
  const { bias = false, ...options } = given as { bias?: unknown };
  if (typeof bias !== 'boolean') return null;
  const { linearWeight, linearBias } = linearParameters(classes, features);
  const made = (values: number[], shape: number[]): TensorRecipe => ({
    tensor: { shape, dtype: 'float32' },
    values,
    isDisposed: false,
  });
  const w = made(linearWeight, [classes, features]);
  return linearOf([x, w, t, bias ? { ...options, linearBias: made(linearBias, [classes]) } : options]);
}

// ---- Whether what comes is what must.

/** What a hostile call led to: what is wrong with it, if anything, and which documented error was thrown, or `null`. */
export interface Outcome {
  readonly fault: string | null;
  readonly thrown: string | null;
}

let drawn: { seed: number; calls: HostileCall[] } | undefined;

/** The calls of a seed, which is most often that of the backend before. */
export async function judgeCalls(seed: number, numRuns: number, place: Place): Promise<(Outcome & { name: string })[]> {
  if (drawn?.seed !== seed || drawn.calls.length !== numRuns) {
    drawn = { seed, calls: fc.sample(hostileCall, { seed, numRuns }) };
  }
  const outcomes = [];
  for (const call of drawn.calls) {
    outcomes.push({ name: call.name, ...(await judgeCall(call, place)) });
  }
  return outcomes;
}

/** One of them that has a fault, made smaller. */
export async function shrinkCall(seed: number, index: number, place: Place): Promise<{ fault: string; call: string }> {
  const { fault, value } = await shrink(hostileCall, seed, index, async (call) => (await judgeCall(call, place)).fault);
  return { fault, call: fc.stringify(value) };
}

async function judgeCall(call: HostileCall, place: Place): Promise<Outcome> {
  const { warn } = console;
  console.warn = () => {}; // what is deprecated, by thousands
  tf.engine().startScope();
  try {
    return await outcomeOf(call, place);
  } finally {
    tf.engine().endScope();
    console.warn = warn;
  }
}

async function outcomeOf(call: HostileCall, place: Place): Promise<Outcome> {
  const args = call.args.map((x) => materialise(x));
  const counts = () => [tf.memory().numTensors, tf.engine().backend.numDataIds()];
  const before = counts();
  let results: Record<string, tf.Tensor> = {};
  let thrown: string | null = null;
  try {
    results = resultsOf(call, args);
  } catch (error) {
    thrown = error instanceof Error ? `${error.name}: ${error.message}` : `not an Error: ${typeof error}`;
  }
  const got: Record<string, ArrayLike<number>> = {};
  for (const [name, tensor] of Object.entries(results)) got[name] = await tensor.data();
  tf.dispose(results);
  const leaks = counts().map((count, i) => count - before[i]);
  const isOf = (patterns: readonly RegExp[]) => patterns.find((pattern) => thrown !== null && pattern.test(thrown));
  const byLayers = isOf(OF_LAYERS);
  if (byLayers && ['evaluate', 'compileWithLoss, of a model'].includes(call.name)) {
    return { thrown: String(byLayers), fault: null };
  }
  const documented = isOf(DOCUMENTED);
  return {
    thrown: documented ? String(documented) : null,
    fault: leaks.some((leak) => leak !== 0)
      ? `${leaks[0]} tensors and ${leaks[1]} buffers leaked${thrown ? `, with ${thrown}` : ''}`
      : thrown && !documented
        ? `an error that is not documented: ${thrown}`
        : faultOf(call, thrown, got, place),
  };
}

/** Of a call, or of its gradient by the first argument, from an upstream gradient of 1. */
function resultsOf({ name, args: recipes, underTape }: HostileCall, args: readonly unknown[]) {
  const f = (...args: unknown[]) => tensorsOf(functions[name](...(args as never[])));
  const [x, ...others] = args;
  if (!underTape || !isLive(recipes[0], 'float32')) return f(...args);
  return { gradInput: tf.grad((x: tf.Tensor) => sumOf(f(x, ...others).value))(x as tf.Tensor) };
}

/** Not every backend has a sum of nothing. */
const sumOf = (x: tf.Tensor) => tf.sum(x.size > 0 ? x : tf.pad(tf.reshape(x, [0]), [[0, 1]]));

function tensorsOf(result: unknown): Record<string, tf.Tensor> {
  if (result instanceof tf.Tensor) return { value: result };
  const { loss, ...others } = (result ?? {}) as Record<string, unknown>;
  const named = Object.entries({ ...others, value: loss ?? others.value });
  return Object.fromEntries(named.filter((entry): entry is [string, tf.Tensor] => entry[1] instanceof tf.Tensor));
}

function faultOf(
  call: HostileCall,
  thrown: string | null,
  got: Record<string, ArrayLike<number>>,
  place: Place,
): string | null {
  const meaning = meanings[call.name]?.(call.args);
  if (meaning === undefined) return null;
  if (meaning === null) return thrown ? null : 'what is not allowed was not refused';
  const { results, error, nan } = solve(meaning);
  if (error && (place.seesLabels || meaning.kind === 'linearCrossEntropy')) {
    return thrown?.startsWith(`RangeError: ${error}`) ? null : `expected ${error}, got ${thrown}`;
  }
  if (thrown) return `what is allowed was refused: ${thrown}`;
  for (const [name, numbers] of Object.entries(got)) {
    if (partial[call.name] && !partial[call.name].includes(name)) continue;
    const want = name === 'gradInput' ? unshifted(call, results[name], meaning) : results[name];
    const fault = faultOfNumbers(name, numbers, want, nan, place, { worst: 0, compared: 0, undecided: 0 });
    if (fault !== null) return fault;
  }
  return null;
}

/** The gradient by all positions: 0 by those that have no target. */
function unshifted({ args }: HostileCall, gradient: ReturnType<typeof solve>['results'][string], meaning: FuzzCase) {
  const { shift } = (args[args.length - 1] ?? {}) as { shift?: number };
  if (meaning.kind !== 'linearCrossEntropy' || !shift) return gradient;
  const { features } = meaning;
  const { count, of } = keptRows((args[0] as TensorRecipe).tensor.shape.slice(0, -1), shift);
  const all = Array.from({ length: count * features }, () => ({ value: 0, error: 0 }));
  for (const [i, row] of of.input.entries()) {
    for (let d = 0; d < features; d++) all[row * features + d] = gradient[i * features + d];
  }
  return all;
}
