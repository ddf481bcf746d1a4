import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { crossEntropy, logSoftmax, nllLoss, type Reduction } from 'tfjs-cross-entropy';
import { type Check, isHost } from '../support/check';
import { type Problem, solve } from '../support/reference';
import { assertClose, withoutLeaks } from '../support/tensors';

/** What holds for any input, tried on many; a failing one is shrunk and printed. */
export function propertySuite(backend: string): Check[] {
  const base = isHost(backend) ? 2e-6 : 2e-5;
  const settings = { numRuns: isHost(backend) ? 150 : 25, seed: 20260111 };

  /** The call that a problem stands for. */
  const lossOf =
    ({ kind, dim, weight, ignoreIndex, reduction, labelSmoothing }: Omit<Problem, 'shape' | 'input' | 'target'>) =>
    (x: tf.Tensor, t: tf.Tensor): tf.Tensor => {
      const options = { weight, ignoreIndex, reduction, dim };
      return kind === 'nllLoss' ? nllLoss(x, t, options) : crossEntropy(x, t, { ...options, labelSmoothing });
    };

  const tensorsOf = ({ shape, dim, input, target, reduction, upstream }: Problem) => {
    const rowShape = shape.filter((_, axis) => axis !== dim);
    return {
      x: tf.tensor(input, shape),
      t: 'indices' in target ? tf.tensor(target.indices, rowShape, 'int32') : tf.tensor(target.probabilities, shape),
      dy: tf.tensor(upstream, reduction === 'none' ? rowShape : []),
    };
  };

  const close = async (got: tf.Tensor, want: ArrayLike<number>, what: string) => {
    const largest = Array.from(want).reduce((max, x) => (Number.isFinite(x) ? Math.max(max, Math.abs(x)) : max), 1);
    assertClose(await got.data(), want, base * largest, what);
  };

  /** One check: `f` holds for all problems. */
  const forAll = (name: string, problems: fc.Arbitrary<Problem>, f: (problem: Problem) => Promise<void>): Check => ({
    name,
    run: () =>
      fc.assert(
        fc.asyncProperty(problems, (problem) => withoutLeaks(() => f(problem))),
        settings,
      ),
  });

  return [
    forAll('agrees with the float64 reference', problem(), async (problem) => {
      const { x, t, dy } = tensorsOf(problem);
      const loss = lossOf(problem);
      const want = solve(problem);
      await close(loss(x, t), want.value, 'value');
      if ('indices' in problem.target) {
        await close(tf.grad((x: tf.Tensor) => loss(x, t))(x, dy), want.gradInput, 'gradient');
      } else {
        const [gradInput, gradTarget] = tf.grads(loss)([x, t], dy);
        await close(gradInput, want.gradInput, 'gradient');
        await close(gradTarget, want.gradTarget, 'gradient by the target');
      }
    }),

    forAll(
      'smoothing equals smoothed probabilities',
      problem({ kind: 'crossEntropy', target: 'indices', ignored: false, reductions: ['sum', 'none'] }),
      async (problem) => {
        const { x, t, dy } = tensorsOf(problem);
        const loss = lossOf(problem);
        const { indices } = problem.target as { indices: number[] };
        const { shape, dim, labelSmoothing: e } = problem;
        const [C, inner] = [shape[dim], shape.slice(dim + 1).reduce((a, b) => a * b, 1)];
        const probabilities = problem.input.map((_, i) => {
          const c = Math.floor(i / inner) % C;
          const r = Math.floor(i / (inner * C)) * inner + (i % inner);
          return (indices[r] === c ? 1 - e : 0) + e / C;
        });
        const soft = tf.tensor(probabilities, shape);
        const plain = lossOf({ ...problem, labelSmoothing: 0 });
        await close(loss(x, t), await plain(x, soft).data(), 'value');
        const gradient = tf.grad((x: tf.Tensor) => plain(x, soft))(x, dy);
        await close(tf.grad((x: tf.Tensor) => loss(x, t))(x, dy), await gradient.data(), 'gradient');
      },
    ),

    forAll(
      'masked classes equal sliced ones',
      problem({ kind: 'crossEntropy', target: 'indices', smoothing: false, channelsLast: true }),
      async (problem) => {
        const { x, t, dy } = tensorsOf(problem);
        const loss = lossOf(problem);
        const C = problem.shape[problem.dim];
        const padding = tf.fill([...problem.shape.slice(0, -1), 2], Number.NEGATIVE_INFINITY);
        const masked = tf.concat([x, padding], -1);
        const weight = problem.weight && [...problem.weight, 3, 4];
        const wide = lossOf({ ...problem, weight });
        await close(wide(masked, t), await loss(x, t).data(), 'value');
        const gradient = tf.grad((x: tf.Tensor) => wide(x, t))(masked, dy);
        const [kept, rest] = tf.split(gradient, [C, 2], -1);
        await close(
          kept,
          await tf
            .grad((x: tf.Tensor) => loss(x, t))(x, dy)
            .data(),
          'gradient',
        );
        await close(rest, new Float32Array(rest.size), 'gradient of the masked classes');
      },
    ),

    forAll('dim equals transposing', problem(), async (problem) => {
      const { x, t } = tensorsOf(problem);
      const loss = lossOf(problem);
      const { dim, shape } = problem;
      const order = [...shape.keys()].filter((axis) => axis !== dim);
      const toLast = (y: tf.Tensor) => tf.transpose(y, [...order, dim]);
      const last = lossOf({ ...problem, dim: -1 });
      const target = 'indices' in problem.target ? t : toLast(t);
      await close(last(toLast(x), target), await loss(x, t).data(), 'value');
    }),

    forAll(
      'cross-entropy equals log-softmax and NLL',
      problem({ kind: 'crossEntropy', target: 'indices', smoothing: false }),
      async (problem) => {
        const { x, t, dy } = tensorsOf(problem);
        const loss = lossOf(problem);
        const { dim } = problem;
        const twoSteps = (x: tf.Tensor) => lossOf({ ...problem, kind: 'nllLoss' })(logSoftmax(x, dim), t);
        await close(twoSteps(x), await loss(x, t).data(), 'value');
        const gradient = tf.grad((x: tf.Tensor) => loss(x, t))(x, dy);
        await close(tf.grad(twoSteps)(x, dy), await gradient.data(), 'gradient');
      },
    ),
  ];
}

interface Kinds {
  readonly kind?: Problem['kind'];
  readonly target?: 'indices' | 'probabilities';
  readonly ignored?: boolean;
  readonly smoothing?: boolean;
  readonly channelsLast?: boolean;
  readonly reductions?: Reduction[];
}

/** Problems of any rank up to 5 and any class dimension; magnitudes from tiny to huge, logits near each other or far. */
function problem(only: Kinds = {}): fc.Arbitrary<Problem> {
  const float = (max: number) => fc.double({ min: -max, max, noNaN: true }).map(Math.fround);
  const magnitude = fc.constantFrom(1e-3, 1, 1, 5, 80, 1e4);
  return fc
    .record({
      kind: only.kind ? fc.constant(only.kind) : fc.constantFrom('crossEntropy' as const, 'nllLoss' as const),
      shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
      dimSeed: fc.nat(),
      magnitude,
      reduction: fc.constantFrom<Reduction>(...(only.reductions ?? ['mean', 'sum', 'none'])),
      target: only.target ? fc.constant(only.target) : fc.constantFrom('indices' as const, 'probabilities' as const),
      smoothing: only.smoothing === false ? fc.constant(0) : fc.constantFrom(0, 0, 0.1, 0.5, 1),
      weighted: fc.boolean(),
      ignoreIndex: fc.constantFrom(-100, -1, 0, 255),
      ignoredShare: only.ignored === false ? fc.constant(0) : fc.constantFrom(0, 0.3, 0.9),
    })
    .chain(({ kind, shape, dimSeed, magnitude, reduction, target, smoothing, weighted, ignoredShare, ...seed }) => {
      const dim = only.channelsLast ? shape.length - 1 : dimSeed % shape.length;
      const size = shape.reduce((a, b) => a * b, 1);
      const [C, rows] = [shape[dim], size / shape[dim]];
      const array = <T>(element: fc.Arbitrary<T>, length: number) =>
        fc.array(element, { minLength: length, maxLength: length });
      const isIndex = target === 'indices' || kind === 'nllLoss';
      const ignoreIndex = isIndex && ignoredShare > 0 && C > 1 ? seed.ignoreIndex : -100;
      // The first row counts, or the mean would be that of nothing: the golden cases have that.
      const label = fc
        .tuple(fc.nat(C - 1), fc.double({ min: 0, max: 1, noNaN: true }))
        .map(([c, u]) => (u < ignoredShare ? ignoreIndex : c));
      const first = fc.nat(C - 1).filter((c) => c !== ignoreIndex);
      const indices = fc.tuple(first, array(label, rows - 1)).map(([c, rest]) => ({ indices: [c, ...rest] }));
      const probabilities = array(fc.double({ min: 0, max: 1, noNaN: true }).map(Math.fround), size).map((p) => ({
        probabilities: p,
      }));
      return fc.record({
        kind: fc.constant(kind),
        shape: fc.constant(shape),
        dim: fc.constant(dim),
        input: array(float(magnitude), size),
        target: isIndex ? indices : probabilities,
        weight: weighted ? array(fc.double({ min: 0.25, max: 4, noNaN: true }).map(Math.fround), C) : fc.constant(null),
        ignoreIndex: fc.constant(ignoreIndex),
        reduction: fc.constant(reduction),
        labelSmoothing: fc.constant(kind === 'nllLoss' ? 0 : smoothing),
        upstream: array(float(2), reduction === 'none' ? rows : 1),
      });
    });
}
