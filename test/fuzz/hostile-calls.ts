import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  CrossEntropyLoss,
  crossEntropy,
  crossEntropyWithStats,
  LinearCrossEntropyLoss,
  LogSoftmax,
  linearCrossEntropy,
  logSoftmax,
  NLLLoss,
  nllLoss,
  Softmax,
  softmax,
} from 'tfjs-cross-entropy';
import { registerGraphOps } from 'tfjs-cross-entropy/graph';
import {
  acceptIndexTargets,
  type Criterion,
  compileWithLoss,
  installInLayers,
  layersAccuracy,
  layersLoss,
  layersPerplexity,
  loadCriterion,
  storeCriterion,
  topKAccuracy,
} from 'tfjs-cross-entropy/layers';
import {
  anyTensor,
  classesOf,
  isPlain,
  isRecipe,
  junk,
  logits,
  make,
  named,
  optionsFor,
  shapeOf,
  sizeOf,
  some,
  type TensorRecipe,
  targetFor,
  tensorOf,
  usually,
} from './hostile-values';

/** A call of the public API as nobody should make it: arguments of any type, some of them right by chance. */
export interface HostileCall {
  readonly name: string;
  readonly args: readonly unknown[];
  /** Whether the gradient by the first argument is asked for, where that is a tensor. */
  readonly underTape?: boolean;
}

// ---- What is drawn.

const underTape = fc.nat(3).map((i) => i === 0);

const lossCall: fc.Arbitrary<HostileCall> = logits.chain((input) =>
  fc.record({
    name: named(
      'crossEntropy',
      'crossEntropyWithStats',
      'nllLoss',
      'CrossEntropyLoss',
      'CrossEntropyLoss, with stats',
      'NLLLoss',
    ),
    args: fc.tuple(fc.constant(input), targetFor(shapeOf(input)), optionsFor(classesOf(input))),
    underTape,
  }),
);

const softmaxCall: fc.Arbitrary<HostileCall> = fc.record({
  name: named('softmax', 'logSoftmax', 'Softmax', 'LogSoftmax'),
  args: fc.tuple(logits, usually(fc.integer({ min: -3, max: 3 }), junk)),
  underTape,
});

/** No sizes that would be granted: memory is not what is tried here. */
const size = (usual: number) =>
  usually(fc.constant(usual), fc.constantFrom(0, -1, 0.5, Number.NaN, '3', null, undefined, {}, 1n, usual + 1), 95);

const ofLinear = { shift: usually(fc.constantFrom(0, 0, 1), junk), batchChunkSize: usually(fc.nat(4), junk) };
const bias = usually(fc.boolean(), junk);

const linearCall: fc.Arbitrary<HostileCall> = fc
  .record({
    positions: fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.nat(3)) },
      { weight: 3, arbitrary: fc.tuple(fc.nat(2), fc.nat(3)) },
      { weight: 1, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.nat(2), { maxLength: 4 }) },
    ),
    features: fc.integer({ min: 0, max: 3 }),
    units: fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.nat(4)) },
      { weight: 2, arbitrary: fc.tuple(fc.nat(3), fc.nat(2)) },
      { weight: 1, arbitrary: fc.array(fc.nat(2), { maxLength: 3 }) },
    ),
  })
  .chain(({ positions, features, units }) => {
    const input = usually(tensorOf([...positions, features], 'float32'), fc.oneof(anyTensor, junk), 95);
    const target = targetFor([...positions, ...units], positions.length);
    const C = units[0] ?? 2;
    const linearBias = usually(fc.oneof(tensorOf(units, 'float32'), fc.constant(null)), fc.oneof(anyTensor, junk), 95);
    return fc.oneof(
      fc.record({
        name: fc.constant('linearCrossEntropy'),
        args: fc.tuple(
          input,
          usually(tensorOf([...units, features], 'float32'), fc.oneof(anyTensor, junk), 95),
          target,
          optionsFor(C, { ...ofLinear, linearBias }),
        ),
        underTape,
      }),
      fc.record({
        name: named('LinearCrossEntropyLoss', 'LinearCrossEntropyLoss, with stats'),
        args: fc.tuple(input, target, size(features), size(C), optionsFor(C, { ...ofLinear, bias })),
        underTape,
      }),
    );
  });

const CLASSES = ['CrossEntropyLoss', 'NLLLoss', 'LinearCrossEntropyLoss'] as const;
const optionsAlone = fc.integer({ min: 1, max: 4 }).chain((classes) => optionsFor(classes));
const linearConfig = fc.integer({ min: 1, max: 4 }).chain((C) =>
  usually(
    fc
      .tuple(
        optionsFor(C, { ...ofLinear, bias }),
        usually(fc.record({ inFeatures: size(2), numClasses: size(C) }), fc.constant({}), 95),
      )
      .map(([options, sizes]) => (isPlain(options) ? { ...options, ...(sizes as object) } : sizes)),
    junk,
  ),
);

const criterion = usually(
  fc.constantFrom('a CrossEntropyLoss', 'an NLLLoss', 'one with the reduction none', 'a disposed one'),
  junk,
  80,
);
const perOutput = fc.oneof(
  { weight: 4, arbitrary: criterion },
  { weight: 1, arbitrary: fc.array(criterion, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.dictionary(named('output', 'other'), criterion) },
);
const layersOptions = fc.oneof(fc.constant(undefined), some({ axis: usually(fc.constantFrom(-1, 1), junk) }), junk);

const metric = usually(
  fc.constantFrom('accuracy', 'perplexity', 'sparseCategoricalAccuracy', 'mse', 'constructor', 'unheard of'),
  junk,
);
const compileArgs = usually(
  some({
    loss: fc.oneof(
      { weight: 4, arbitrary: perOutput },
      { weight: 1, arbitrary: named('meanSquaredError', 'categoricalCrossentropy', 'unheard of') },
    ),
    metrics: fc.oneof(metric, fc.array(metric, { maxLength: 2 }), fc.dictionary(named('output', 'other'), metric)),
  }),
  junk,
);

/** A tensor that can be used. */
const live = (x: unknown): TensorRecipe =>
  isRecipe(x)
    ? { ...x, isDisposed: false }
    : { tensor: { shape: [], dtype: 'float32' }, values: [1], isDisposed: false };

/** One that Layers can cut up into batches, which it does before anyone looks at it. */
const divisible = (x: unknown) => {
  const { tensor } = live(x);
  return live(['string', 'complex64'].includes(tensor.dtype) || sizeOf(tensor.shape) === 0 ? null : x);
};

/** Seldom: a model takes as long to make as many another call. */
const evaluateCall: fc.Arbitrary<HostileCall> = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }), named('linear', 'softmax'))
  .chain(([shape, activation]) =>
    fc.record({
      name: fc.constant('evaluate'),
      args: fc.tuple(
        tensorOf(shape, 'float32').map((recipe) => ({ ...recipe, isDisposed: false })),
        targetFor(shape, shape.length - 1).map(divisible),
        usually(fc.constant('a CrossEntropyLoss'), fc.constantFrom('an NLLLoss', 'a disposed one')),
        fc.constant(activation),
      ),
    }),
  );

const adaptorCall: fc.Arbitrary<HostileCall> = fc.oneof(
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
  fc.record({ name: fc.constant('compileWithLoss, of a model'), args: fc.tuple(compileArgs) }),
  fc.record({ name: fc.constant('storeCriterion, in a model'), args: fc.tuple(perOutput) }),
  fc.record({
    name: fc.constant('loadCriterion, of a model'),
    args: fc.tuple(
      usually(
        fc.record({
          'tfjs-cross-entropy': usually(
            some({ className: usually(named(...CLASSES), junk), config: optionsAlone }),
            junk,
          ),
        }),
        junk,
      ),
    ),
  }),
  // A graph model hands over live tensors, of whatever type and shape its nodes have.
  fc
    .array(fc.nat(4), { minLength: 2, maxLength: 2 })
    .chain((shape) =>
      fc.record({
        name: named('SparseSoftmaxCrossEntropyWithLogits', 'SoftmaxCrossEntropyWithLogits'),
        args: fc.tuple(usually(tensorOf(shape, 'float32'), anyTensor), usually(targetFor(shape), anyTensor)),
      }),
    )
    .map((call) => ({ ...call, args: call.args.map(live) })),
);

const otherCall: fc.Arbitrary<HostileCall> = fc.oneof(
  fc.record({ name: named('CrossEntropyLoss.fromConfig', 'NLLLoss.fromConfig'), args: fc.tuple(optionsAlone) }),
  fc.record({ name: fc.constant('LinearCrossEntropyLoss.fromConfig'), args: fc.tuple(linearConfig) }),
  fc.record({
    name: named('Softmax.fromConfig', 'LogSoftmax.fromConfig'),
    args: fc.tuple(usually(some({ dim: usually(fc.integer(), junk) }), junk)),
  }),
  fc.record({
    name: named('a method after dispose', 'a method torn off'),
    args: fc.tuple(named(...CLASSES), named('forward', 'forwardWithStats')),
  }),
);

export const hostileCall: fc.Arbitrary<HostileCall> = fc.oneof(
  { weight: 40, arbitrary: lossCall },
  { weight: 16, arbitrary: softmaxCall },
  { weight: 12, arbitrary: linearCall },
  { weight: 20, arbitrary: adaptorCall },
  { weight: 1, arbitrary: evaluateCall },
  { weight: 4, arbitrary: otherCall },
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

/** What an argument stands for: the tensors and criteria in it, one level deep. */
export function materialise(x: unknown, isTop = true): unknown {
  if (isRecipe(x)) return make(x);
  if (typeof x === 'string' && Object.hasOwn(criteria, x)) return criteria[x as keyof typeof criteria]();
  if (Array.isArray(x)) return x.map((entry) => (typeof entry === 'string' ? materialise(entry) : entry));
  if (!isTop || !isPlain(x)) return x;
  const made = Object.create(Object.getPrototypeOf(x));
  for (const [key, value] of Object.entries(x)) {
    Object.defineProperty(made, key, { value: materialise(value, false), enumerable: true });
  }
  return made;
}

/** Disposes of what the caller does not get to see. */
function using<C extends { dispose(): void }, T>(criterion: C, f: (criterion: C) => T): T {
  try {
    return f(criterion);
  } finally {
    criterion.dispose();
  }
}

/** What stands in a `LinearCrossEntropyLoss` in place of what it draws. */
export const linearParameters = (classes: number, features: number) => ({
  linearWeight: Array.from({ length: classes * features }, (_, i) => ((i * 7) % 5) - 2),
  linearBias: Array.from({ length: classes }, (_, i) => (i % 3) - 1),
});

function usingLinear(
  features: number,
  classes: number,
  options: object,
  f: (criterion: LinearCrossEntropyLoss) => unknown,
): unknown {
  return using(new LinearCrossEntropyLoss(features, classes, options), (criterion) => {
    const { linearWeight, linearBias } = linearParameters(classes, features);
    const [w, b] = [tf.tensor(linearWeight, [classes, features]), tf.tensor(linearBias, [classes])];
    criterion.linearWeight.assign(w);
    criterion.linearBias?.assign(b);
    tf.dispose([w, b]);
    return f(criterion);
  });
}

/** A model that puts out its input, or the softmax of it. */
function usingModel<T>(
  shape: number[],
  activation: 'linear' | 'softmax' | 'logSoftmax',
  f: (model: tf.LayersModel) => T,
): T {
  const output = tf.layers.activation({ activation: activation as 'linear', inputShape: shape, name: 'output' });
  return using(tf.sequential({ layers: [output] }), f);
}

const isCriterion = (x: object): x is Criterion => 'forward' in x;

const metadataOf = (stored: object | undefined) => ({
  getUserDefinedMetadata: () => stored,
  setUserDefinedMetadata: () => {},
});

const graphOps: Record<string, (node: { inputs: tf.Tensor[] }) => tf.Tensor[]> = {};
registerGraphOps({
  registerOp(name, f) {
    graphOps[name] = f;
  },
});

export const functions: Record<string, Function> = {
  crossEntropy,
  crossEntropyWithStats,
  nllLoss,
  linearCrossEntropy,
  softmax,
  logSoftmax,
  CrossEntropyLoss: (x: tf.Tensor, t: tf.Tensor, options: object) =>
    using(new CrossEntropyLoss(options), (criterion) => criterion.forward(x, t)),
  'CrossEntropyLoss, with stats': (x: tf.Tensor, t: tf.Tensor, options: object) =>
    using(new CrossEntropyLoss(options), (criterion) => criterion.forwardWithStats(x, t)),
  NLLLoss: (x: tf.Tensor, t: tf.Tensor, options: object) =>
    using(new NLLLoss(options), (criterion) => criterion.forward(x, t)),
  LinearCrossEntropyLoss: (x: tf.Tensor, t: tf.Tensor, features: number, classes: number, options: object) =>
    usingLinear(features, classes, options, (criterion) => criterion.forward(x, t)),
  'LinearCrossEntropyLoss, with stats': (x: tf.Tensor, t: tf.Tensor, features: number, classes: number, o: object) =>
    usingLinear(features, classes, o, (criterion) => criterion.forwardWithStats(x, t)),
  Softmax: (x: tf.Tensor, dim: number) => new Softmax(dim).forward(x),
  LogSoftmax: (x: tf.Tensor, dim: number) => new LogSoftmax(dim).forward(x),
  'CrossEntropyLoss.fromConfig': (config: object) => using(CrossEntropyLoss.fromConfig(config), (c) => c.getConfig()),
  'NLLLoss.fromConfig': (config: object) => using(NLLLoss.fromConfig(config), (c) => c.getConfig()),
  'LinearCrossEntropyLoss.fromConfig': (config: object) =>
    using(LinearCrossEntropyLoss.fromConfig(config), (c) => c.getConfig()),
  'Softmax.fromConfig': (config: object) => Softmax.fromConfig(config).getConfig(),
  'LogSoftmax.fromConfig': (config: object) => LogSoftmax.fromConfig(config).getConfig(),
  'a method after dispose': (name: string, method: string) => misuse(name, method, (criterion) => criterion.dispose()),
  'a method torn off': (name: string, method: string) => misuse(name, method),
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
  'compileWithLoss, of a model': (args: unknown) =>
    usingModel([3], 'linear', (model) =>
      using(tf.train.sgd(0.1), (optimizer) =>
        compileWithLoss(model, (isPlain(args) ? { ...args, optimizer } : args) as never),
      ),
    ),
  evaluate: (x: tf.Tensor, t: tf.Tensor, loss: CrossEntropyLoss, activation: 'linear') =>
    usingModel(x.shape.slice(1), loss instanceof NLLLoss ? 'logSoftmax' : activation, (model) =>
      using(tf.train.sgd(0.1), (optimizer) => {
        compileWithLoss(model, { optimizer, loss, metrics: ['accuracy', 'perplexity'] });
        const [value, ...metrics] = model.evaluate(x, t) as tf.Scalar[];
        tf.dispose(metrics);
        return value;
      }),
    ),
  installInLayers,
  registerGraphOps,
  ...Object.fromEntries(
    Object.entries(graphOps).map(([name, f]) => [
      name,
      (x: tf.Tensor, t: tf.Tensor) => {
        const [value, gradInput] = f({ inputs: [x, t] });
        return { value, gradInput };
      },
    ]),
  ),
  storeCriterion,
  'storeCriterion, in a model': (criterion: CrossEntropyLoss) => storeCriterion(metadataOf({}), criterion),
  loadCriterion,
  'loadCriterion, of a model': (stored: object) => {
    const loaded = loadCriterion(metadataOf(stored));
    for (const criterion of isCriterion(loaded) ? [loaded] : Object.values(loaded)) criterion.dispose();
  },
};

function misuse(name: string, method: string, spoil?: (criterion: { dispose(): void }) => void): unknown {
  const criterion = {
    CrossEntropyLoss: () => new CrossEntropyLoss({ weight: [1, 2, 3] }),
    NLLLoss: () => new NLLLoss({ weight: [1, 2, 3] }),
    LinearCrossEntropyLoss: () => new LinearCrossEntropyLoss(3, 3, { weight: [1, 2, 3], bias: true }),
  }[name]!() as CrossEntropyLoss;
  const [x, t] = [tf.ones([2, 3]), tf.zeros([2], 'int32')];
  try {
    spoil?.(criterion);
    const torn = criterion[method as 'forward'] ?? criterion.forward; // NLLLoss has no stats
    return spoil ? torn.call(criterion, x, t) : torn(x, t);
  } finally {
    criterion.dispose();
    tf.dispose([x, t]);
  }
}
