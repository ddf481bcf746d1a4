import fc from 'fast-check';
import type { Reduction } from 'tfjs-cross-entropy';
import type { FuzzCase, LinearCase, LossCase, SoftmaxCase, Spelling } from './problem';

/** A weighted choice among constants: `[weight, value]`. */
const choice = <T>(...entries: [weight: number, value: T][]) =>
  fc.oneof(...entries.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
const SPECIAL = [NAN, INF, -INF, -0, 3.4028234663852886e38, -3.4028234663852886e38, 1.401298464324817e-45, 1e-40];

/** Up to six dimensions, more of them short; now and then none of a size, or many classes. */
const shape = fc.oneof(
  { weight: 12, arbitrary: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }) },
  { weight: 2, arbitrary: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 5, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }) },
  { weight: 4, arbitrary: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 70 })) },
  { weight: 2, arbitrary: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 })) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
    ),
  },
);

/** Too many elements for each to be drawn, and shrunk, by itself: their generator's seed is. */
const largeShape = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 100, max: 1500 })),
  fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 100, max: 600 }), fc.integer({ min: 1, max: 3 })),
  fc.tuple(fc.integer({ min: 200, max: 1500 }), fc.integer({ min: 1, max: 3 })),
);

/** Elements of an array, drawn one by one or from a seed. */
type Draw = <T>(element: fc.Arbitrary<T>, length: number) => fc.Arbitrary<T[]>;
const oneByOne: Draw = (element, length) => fc.array(element, { minLength: length, maxLength: length });
const bySeed: Draw = (element, length) =>
  fc.nat().map((seed) => fc.sample(element, { seed, numRuns: length, unbiased: true }));

/** Float32 numbers of a magnitude. */
const upTo = (magnitude: number) =>
  fc.integer({ min: -(2 ** 22), max: 2 ** 22 }).map((i) => Math.fround((i / 2 ** 22) * magnitude));

/**
 * Magnitudes from 1e-30 to 1e30: of the logits, of weights or probabilities, of the upstream gradient or of the direction
 * of the second derivative, or of all of them; not so that their products leave float32.
 */
const magnitudes = fc
  .record({
    of: choice<string>(
      [8, 'nothing'],
      [4, 'logits'],
      [2, 'weights'],
      [2, 'target'],
      [2, 'upstream'],
      [1, 'direction'],
      [2, 'all'],
    ),
    exponents: fc.tuple(...Array.from({ length: 5 }, () => fc.integer({ min: -30, max: 30 }))),
    moderate: choice([4, 3], [2, 1], [2, 10], [2, 80], [1, 1000]),
  })
  .map(({ of, exponents, moderate }) => {
    const [logits, weights, target, upstream, direction] = ['logits', 'weights', 'target', 'upstream', 'direction'].map(
      (name, i) => (of === name ? 10 ** exponents[i] : of === 'all' ? 10 ** Math.trunc(exponents[i] / 5) : 1),
    );
    return { logits: of === 'logits' || of === 'all' ? logits : moderate, weights, target, upstream, direction };
  });

type Flavour = 'spread' | 'near' | 'ties' | 'masked' | 'special';
const flavour = choice<Flavour>([6, 'spread'], [1, 'near'], [1, 'ties'], [2, 'masked'], [1, 'special']);

function logits(flavour: Flavour, magnitude: number): fc.Arbitrary<number> {
  const spread = upTo(magnitude);
  if (flavour === 'near') return upTo(1).map((x) => Math.fround(magnitude * (1 + x * 2 ** -18)));
  if (flavour === 'ties') return fc.integer({ min: -1, max: 1 }).map((i) => Math.fround(i * magnitude));
  if (flavour === 'masked') return sometimes(spread, 4, fc.constant(-INF));
  if (flavour === 'special') return sometimes(spread, 8, fc.constantFrom(...SPECIAL));
  return spread;
}

/** Once in a while something else. */
const sometimes = <T>(usual: fc.Arbitrary<T>, every: number, else_: fc.Arbitrary<T>) =>
  fc.oneof({ weight: every - 1, arbitrary: usual }, { weight: 1, arbitrary: else_ });

const spelling: fc.Arbitrary<Spelling> = fc.record({
  by: choice<Spelling['by']>([3, 'function'], [1, 'class']),
  dim: fc.constantFrom('counted from the start', 'counted from the end'),
  weight: fc.constantFrom('tensor', 'array', 'Float32Array'),
});

const sized = fc.oneof(
  { weight: 99, arbitrary: fc.record({ shape, draw: fc.constant(oneByOne) }) },
  { weight: 1, arbitrary: fc.record({ shape: largeShape, draw: fc.constant(bySeed) }) },
);
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/** Upstream gradients: plain numbers, and seldom what is none. */
const upstreams = (magnitude: number, isSpecial: boolean) =>
  isSpecial ? sometimes(upTo(magnitude), 3, fc.constantFrom(NAN, INF, -INF, 0)) : upTo(2 * magnitude);

const softmaxCase: fc.Arbitrary<SoftmaxCase> = fc
  .record({
    kind: fc.constantFrom('softmax', 'logSoftmax'),
    size: fc.oneof(
      { weight: 40, arbitrary: sized },
      { weight: 1, arbitrary: fc.constant({ shape: [] as number[], draw: oneByOne }) },
    ),
    dim: fc.nat(),
    magnitude: magnitudes,
    flavour,
    special: choice([15, false], [1, true]),
    spelling,
  })
  .chain(({ kind, size: { shape, draw }, dim, magnitude, flavour, special, spelling }) => {
    const size = product(shape);
    return fc.record({
      kind: fc.constant(kind),
      shape: fc.constant([...shape]),
      dim: fc.constant(dim % Math.max(shape.length, 1)),
      input: draw(logits(flavour, magnitude.logits), size),
      upstream: draw(upstreams(magnitude.upstream, special), size),
      direction: draw(upTo(magnitude.direction), size),
      spelling: fc.constant(spelling),
    });
  });

type Labels = 'classes' | 'some ignored' | 'all ignored' | 'one is no class';
type Weights = 'none' | 'positive' | 'small integers' | 'any' | 'special';
type Probabilities = 'probabilities' | 'one-hot' | 'any' | 'special';

const lossCase: fc.Arbitrary<LossCase> = fc
  .record({
    kind: choice<LossCase['kind']>([3, 'crossEntropy'], [1, 'nllLoss']),
    size: sized,
    dim: fc.oneof({ weight: 2, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat() }),
    magnitude: magnitudes,
    flavour,
    reduction: fc.constantFrom<Reduction>('mean', 'sum', 'none'),
    isOfIndices: choice([3, true], [2, false]),
    labels: choice<Labels>([10, 'classes'], [8, 'some ignored'], [1, 'all ignored'], [1, 'one is no class']),
    ignoreIndex: choice([6, -100], [2, -1], [3, 0], [1, 1], [1, 255], [1, 2 ** 31 - 1], [1, -(2 ** 31)]),
    noClass: choice([1, -1], [2, 0], [1, 2 ** 31 - 1], [1, -(2 ** 31)], [1, 2 ** 24]),
    probabilities: choice<Probabilities>([5, 'probabilities'], [2, 'one-hot'], [1, 'any'], [1, 'special']),
    weights: choice<Weights>([6, 'none'], [4, 'positive'], [2, 'small integers'], [1, 'any'], [1, 'special']),
    labelSmoothing: fc.oneof(
      { weight: 4, arbitrary: choice([8, 0], [4, 0.1], [1, 1], [1, 1e-30]) },
      { weight: 1, arbitrary: fc.nat(2 ** 20).map((i) => i / 2 ** 20) },
    ),
    special: choice([15, false], [1, true]),
    spelling,
  })
  .chain(({ size: { shape, draw }, magnitude, spelling, ...seed }) => {
    const dim = seed.dim % shape.length;
    const [size, C] = [product(shape), shape[dim]];
    const rows = product(shape.filter((_, axis) => axis !== dim));
    const isOfIndices = seed.isOfIndices || seed.kind === 'nllLoss';
    // What PyTorch takes for none: it refuses others together with probabilities.
    const ignoreIndex = isOfIndices || seed.ignoreIndex < 0 ? seed.ignoreIndex : -100;
    return fc.record({
      kind: fc.constant(seed.kind),
      shape: fc.constant([...shape]),
      dim: fc.constant(dim),
      input: draw(logits(seed.flavour, magnitude.logits), size),
      target: isOfIndices
        ? labels(seed.labels, rows, C, ignoreIndex, seed.noClass, draw).map((indices) => ({ indices }))
        : draw(probability(seed.probabilities, magnitude.target), size).map((probabilities) => ({ probabilities })),
      weight: seed.weights === 'none' ? fc.constant(null) : draw(classWeight(seed.weights, magnitude.weights), C),
      ignoreIndex: fc.constant(ignoreIndex),
      reduction: fc.constant(seed.reduction),
      labelSmoothing: fc.constant(seed.kind === 'nllLoss' ? 0 : seed.labelSmoothing),
      upstream: draw(upstreams(magnitude.upstream, seed.special), seed.reduction === 'none' ? rows : 1),
      direction: draw(upTo(magnitude.direction), size),
      spelling: fc.constant(spelling),
    });
  });

function labels(kind: Labels, rows: number, C: number, ignoreIndex: number, noClass: number, draw: Draw) {
  const ignored = fc.constant(ignoreIndex);
  if (kind === 'all ignored' || C === 0) return draw(ignored, rows);
  const valid = fc.nat(C - 1);
  if (kind === 'some ignored') return draw(fc.oneof(valid, ignored), rows);
  // A class whose number is ignoreIndex is ignored too.
  if (kind === 'classes' || rows === 0) return draw(valid, rows);
  const bad = noClass >= 0 && noClass < C ? C : noClass;
  return fc
    .tuple(draw(fc.oneof(valid, ignored), rows), fc.nat(rows - 1))
    .map(([labels, at]) => labels.map((label, r) => (r === at ? bad : label)));
}

function probability(kind: Probabilities, magnitude: number): fc.Arbitrary<number> {
  const between = fc.nat(1024).map((i) => i / 1024);
  if (kind === 'one-hot') return choice([3, 0], [1, 1]);
  if (kind === 'any') return upTo(magnitude);
  if (kind === 'special') return sometimes(between, 6, fc.constantFrom(NAN, INF, -INF, -0, 1.401298464324817e-45));
  return between.map((p) => Math.fround(p * magnitude));
}

function classWeight(kind: Weights, magnitude: number): fc.Arbitrary<number> {
  const positive = fc.integer({ min: 256, max: 4096 }).map((i) => Math.fround((i / 1024) * magnitude));
  if (kind === 'small integers') return fc.integer({ min: -2, max: 2 });
  if (kind === 'any') return upTo(magnitude);
  if (kind === 'special') return sometimes(positive, 6, fc.constantFrom(NAN, INF, -INF, 0, -0));
  return positive;
}

const linearCase: fc.Arbitrary<LinearCase> = fc
  .record({
    rows: fc.oneof(
      { weight: 1, arbitrary: fc.constant(0) },
      { weight: 20, arbitrary: fc.integer({ min: 1, max: 9 }) },
      { weight: 2, arbitrary: fc.integer({ min: 10, max: 40 }) },
    ),
    classes: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 1, max: 7 }) },
      { weight: 1, arbitrary: fc.integer({ min: 8, max: 80 }) },
    ),
    targets: choice([4, 0], [1, 1], [1, 3]),
    features: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 1, max: 6 }) },
      { weight: 1, arbitrary: fc.integer({ min: 7, max: 40 }) },
    ),
    chunk: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 12 })),
    sequences: fc.integer({ min: 0, max: 3 }),
    shift: choice([1, 0], [1, 1], [1, 2]),
    exponent: fc.integer({ min: -12, max: 12 }),
    upstreamExponent: choice([4, 0], [1, -5], [1, 5]),
    spread: choice([1, 0.1], [3, 1], [2, 4], [1, 20]),
    bias: choice<'none' | 'finite' | 'masked'>([3, 'none'], [3, 'finite'], [1, 'masked']),
    hasNaN: fc.boolean(),
    reduction: fc.constantFrom<Reduction>('mean', 'sum', 'none'),
    isOfIndices: choice([3, true], [1, false]),
    labels: choice<Labels>([10, 'classes'], [8, 'some ignored'], [2, 'all ignored'], [1, 'one is no class']),
    ignoreIndex: choice([6, -100], [2, -1], [3, 0], [1, 255], [1, 2 ** 31 - 1]),
    noClass: choice([1, -1], [1, 2 ** 31 - 1], [1, 2 ** 24]),
    probabilities: choice<Probabilities>([5, 'probabilities'], [2, 'one-hot'], [1, 'any']),
    weights: choice<Weights>([6, 'none'], [4, 'positive'], [2, 'small integers']),
    labelSmoothing: choice([6, 0], [3, 0.1], [1, 1]),
    spelling,
  })
  .chain(({ rows, classes, targets, features, chunk, exponent, spread, spelling, ...seed }) => {
    const { reduction, bias } = seed;
    const units = classes * Math.max(targets, 1);
    const count = rows * Math.max(targets, 1);
    // PyTorch refuses any other ignoreIndex together with probabilities.
    const ignoreIndex = seed.isOfIndices ? seed.ignoreIndex : -100;
    const sequences = targets === 0 && seed.sequences > 0 && rows % seed.sequences === 0 ? seed.sequences : 0;
    const ofUnit = upTo(spread);
    return fc
      .record({
        kind: fc.constant('linearCrossEntropy' as const),
        shape: fc.constant([rows, classes, targets].slice(0, targets === 0 ? 2 : 3)),
        dim: fc.constant(1),
        features: fc.constant(features),
        input: oneByOne(upTo(10 ** exponent), rows * features),
        linearWeight: oneByOne(upTo(spread / 10 ** exponent), units * features),
        linearBias:
          bias === 'none'
            ? fc.constant(null)
            : oneByOne(bias === 'masked' ? sometimes(ofUnit, 4, fc.constant(-INF)) : ofUnit, units),
        batchChunkSize: fc.constant(chunk),
        sequences: fc.constant(sequences),
        shift: fc.constant(sequences > 0 ? seed.shift : 0),
        target: seed.isOfIndices
          ? labels(seed.labels, count, classes, ignoreIndex, seed.noClass, oneByOne).map((indices) => ({ indices }))
          : oneByOne(probability(seed.probabilities, 1), rows * units).map((probabilities) => ({ probabilities })),
        weight: seed.weights === 'none' ? fc.constant(null) : oneByOne(classWeight(seed.weights, 1), classes),
        ignoreIndex: fc.constant(ignoreIndex),
        reduction: fc.constant(reduction),
        labelSmoothing: fc.constant(seed.labelSmoothing),
        upstream: oneByOne(upTo(2 * 10 ** seed.upstreamExponent), reduction === 'none' ? count : 1),
        direction: fc.constant([] as number[]),
        spelling: fc.constant(targets === 0 ? spelling : { ...spelling, by: 'function' as const }),
      })
      .map((test) => (seed.hasNaN ? withNaN(test) : test));
  });

/** Rows whose targets are all ignored may hold anything. */
function withNaN(test: LinearCase): LinearCase {
  const { shape, input, features, target, ignoreIndex } = test;
  if (!('indices' in target)) return test;
  const targets = shape[2] ?? 1;
  const isIgnored = (row: number) =>
    target.indices.slice(row * targets, (row + 1) * targets).every((t) => t === ignoreIndex);
  return { ...test, input: input.map((x, i) => (isIgnored(Math.floor(i / features)) ? NAN : x)) };
}

/** All cases that the fuzz knows; see `functions.ts`. */
export const fuzzCase: fc.Arbitrary<FuzzCase> = fc.oneof(
  { weight: 8, arbitrary: lossCase as fc.Arbitrary<FuzzCase> },
  { weight: 2, arbitrary: softmaxCase as fc.Arbitrary<FuzzCase> },
  { weight: 1, arbitrary: linearCase as fc.Arbitrary<FuzzCase> },
);
