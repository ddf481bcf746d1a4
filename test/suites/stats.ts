import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, type CrossEntropyOptions, crossEntropy, crossEntropyWithStats } from 'tfjs-cross-entropy';
import type { Check } from '../support/check';
import { assertClose, assertEqual, withoutLeaks } from '../support/tensors';

const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;

/** `crossEntropyWithStats`: how many rows are right and how many count, beside the loss that `crossEntropy` gives. */
export function statsSuite(): Check[] {
  return [...ofShapes, ...ofRows, ...ofProbabilities, ...ofClass].map(({ name, run }) => ({
    name,
    run: (context) => withoutLeaks(() => run(context)),
  }));
}

/** The class dimension, and the shape; some rows are shared out, cut into chunks, or beyond what a texel holds. */
const SHAPES: [dim: number, shape: number[]][] = [
  [0, [5]],
  [1, [1, 1]],
  [1, [7, 3]],
  [1, [3, 1500]],
  [1, [2, 40_000]],
  [1, [2, 5, 3, 3]],
  [1, [2, 300, 17]],
  [2, [3, 4, 6]],
  [0, [6, 11]],
  [1, [2500, 4]],
];

const OPTIONS: CrossEntropyOptions[] = [
  {},
  { reduction: 'sum' },
  { reduction: 'none' },
  { labelSmoothing: 0.1 },
  { reduction: 'none', labelSmoothing: 0.1 },
];

/** What `correct` and `count` are, worked out by plain loops. */
function wanted(x: ArrayLike<number>, labels: ArrayLike<number>, shape: number[], dim: number) {
  const classes = shape[dim];
  const inner = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
  const rows = Array.from(labels, (t, row) => {
    const first = Math.floor(row / inner) * classes * inner + (row % inner);
    const logits = Array.from({ length: classes }, (_, c) => x[first + c * inner]);
    const counts = t !== -100;
    return { correct: Number(counts && logits[t] === Math.max(...logits)), count: Number(counts) };
  });
  return { correct: rows.map(({ correct }) => correct), count: rows.map(({ count }) => count) };
}

const sum = (x: number[]) => x.reduce((a, b) => a + b, 0);

const ofShapes: Check[] = SHAPES.flatMap(([dim, shape]) =>
  OPTIONS.map((options) => ({
    name: `[${shape}], classes along ${dim}, ${JSON.stringify(options)}`,
    async run() {
      const classes = shape[dim];
      const x = tf.randomUniform(shape, -4, 4, 'float32', 7).round().div(2) as tf.Tensor; // with ties
      const rowShape = shape.filter((_, axis) => axis !== dim);
      const rows = rowShape.reduce((a, b) => a * b, 1);
      // Often the largest logit, or one that ties with it; and every seventh is ignored.
      const largest = await x.argMax(dim).data();
      const labels = Int32Array.from({ length: rows }, (_, row) =>
        row % 7 === 6 ? -100 : row % 3 === 0 ? largest[row] : (row * 13) % classes,
      );
      const target = () => tf.tensor(labels, rowShape, 'int32');
      const want = wanted(await x.data(), labels, shape, dim);
      const all = { ...options, dim, weight: Array.from({ length: classes }, (_, c) => 0.5 + c / classes) };
      const loss = crossEntropy(x, target(), all);

      let named!: ReturnType<typeof crossEntropyWithStats<'none'>>;
      const f = (x: tf.Tensor) => {
        named = crossEntropyWithStats(x, target(), all as CrossEntropyOptions<'none'>);
        tf.keep(named.correct);
        tf.keep(named.count);
        return named.loss.sum();
      };
      const assertStats = async ({ correct, count }: typeof named) => {
        const isNone = options.reduction === 'none';
        assertEqual(correct.shape, isNone ? rowShape : [], 'shape of correct');
        assertEqual(count.shape, isNone ? rowShape : [], 'shape of count');
        assertEqual([...(await correct.data())], isNone ? want.correct : [sum(want.correct)], 'correct');
        assertEqual([...(await count.data())], isNone ? want.count : [sum(want.count)], 'count');
      };
      const alone = crossEntropyWithStats(x, target(), all as CrossEntropyOptions<'none'>);
      await assertStats(alone);
      assertClose(await alone.loss.data(), await loss.data(), 0, 'loss');
      const gradient = tf.grad(f)(x);
      await assertStats(named);
      tf.dispose([named.correct, named.count]);
      const reference = tf.grad((x) => crossEntropy(x, target(), all).sum())(x);
      assertClose(await gradient.data(), await reference.data(), 0, 'gradient');
      // A record, where the gradient is differentiated.
      const second = tf.grad((x) => tf.grad(f)(x).square().sum())(x);
      await assertStats(named);
      tf.dispose([named.correct, named.count]);
      const wantSecond = tf.grad((x) =>
        tf
          .grad((x) => crossEntropy(x, target(), all).sum())(x)
          .square()
          .sum(),
      )(x);
      assertClose(await second.data(), await wantSecond.data(), 0, 'second derivative');
    },
  })),
);

const ofRows: Check[] = [
  {
    name: 'rows without a softmax are wrong, ignored ones do not count, and a class weight of 0 does not matter',
    async run() {
      const x = tf.tensor2d([
        [INF, 0],
        [NAN, 2],
        [2, NAN],
        [-INF, -INF],
        [-INF, 1],
        [3, 3],
        [9, NAN],
      ]);
      const t = tf.tensor1d([0, 1, 0, 0, 1, 0, -100], 'int32');
      for (const weight of [undefined, [0, 1]]) {
        const { correct, count } = crossEntropyWithStats(x, t, { reduction: 'none', weight });
        assertEqual([...(await correct.data())], [0, 0, 0, 0, 1, 1, 0], 'correct');
        assertEqual([...(await count.data())], [1, 1, 1, 1, 1, 1, 0], 'count');
      }
    },
  },
  {
    name: 'nothing: no rows, no classes',
    async run() {
      for (const reduction of ['mean', 'none'] as const) {
        const none = crossEntropyWithStats(tf.zeros([0, 3]), tf.tensor1d([], 'int32'), { reduction });
        const ignored = crossEntropyWithStats(tf.zeros([2, 0]), tf.tensor1d([-100, -100], 'int32'), { reduction });
        const isNone = reduction === 'none';
        for (const x of [none.correct, none.count]) assertEqual([...(await x.data())], isNone ? [] : [0], 'no rows');
        for (const x of [ignored.correct, ignored.count]) {
          assertEqual([...(await x.data())], isNone ? [0, 0] : [0], 'no classes');
        }
      }
    },
  },
  {
    name: 'correct and count are constants to derivatives',
    async run() {
      const x = tf.tensor2d([
        [1, 2, 3],
        [0, 1, -1],
      ]);
      const t = tf.tensor1d([2, 2], 'int32');
      const mean = tf.grad((x: tf.Tensor) => {
        const { loss, correct, count } = crossEntropyWithStats(x, t, { reduction: 'sum' });
        return loss.mul(correct).div(count);
      })(x);
      const plain = tf.grad((x: tf.Tensor) => crossEntropy(x, t, { reduction: 'sum' }).div(2))(x);
      assertClose(await mean.data(), await plain.data(), 1e-6, 'gradient');
    },
  },
];

const ofProbabilities: Check[] = (['mean', 'none'] as const).map((reduction) => ({
  name: `probabilities, ${reduction}: the most probable class, or any of them`,
  async run() {
    const x = tf.tensor2d([
      [1, 2, 2],
      [3, 0, 0],
      [0, 3, 0],
      [NAN, 1, 0],
      [INF, 1, 0],
    ]);
    const q = tf.tensor2d([
      [0.2, 0.2, 0.6],
      [0.1, 0.8, 0.1],
      [0.4, 0.4, 0.2],
      [0, 1, 0],
      [1, 0, 0],
    ]);
    const { loss, correct, count } = crossEntropyWithStats(x, q, { reduction });
    const isNone = reduction === 'none';
    assertClose(await loss.data(), await crossEntropy(x, q, { reduction }).data(), 0, 'loss');
    assertEqual([...(await correct.data())], isNone ? [1, 0, 1, 0, 0] : [2], 'correct');
    assertEqual([...(await count.data())], isNone ? [1, 1, 1, 1, 1] : [5], 'count');
    for (const [dim, ...shape] of [
      [0, 3, 5],
      [1, 1, 3, 5],
      [1, 1, 3, 1, 5, 1, 1],
    ]) {
      const [logits, target] = [x, q].map((x) => x.transpose().reshape(shape));
      const { loss, correct } = crossEntropyWithStats(logits, target, { reduction, dim });
      assertClose(await loss.data(), await crossEntropy(x, q, { reduction }).data(), 1e-6, `loss of [${shape}]`);
      assertEqual([...(await correct.data())], isNone ? [1, 0, 1, 0, 0] : [2], `correct of [${shape}]`);
    }
    const empty = crossEntropyWithStats(tf.zeros([2, 0]), tf.zeros([2, 0]), { reduction });
    assertEqual([...(await empty.correct.data())], isNone ? [0, 0] : [0], 'no classes');
    assertEqual([...(await empty.count.data())], isNone ? [1, 1] : [2], 'no classes: count');
  },
}));

const ofClass: Check[] = [
  {
    name: 'forwardWithStats is the function with the options of the criterion',
    async run() {
      const criterion = new CrossEntropyLoss({ weight: [1, 2, 1], labelSmoothing: 0.1, ignoreIndex: 0 });
      const x = tf.tensor2d([
        [1, 2, 3],
        [0, 1, -1],
      ]);
      const t = tf.tensor1d([1, 1], 'int32');
      const { loss, correct, count } = criterion.forwardWithStats(x, t);
      assertClose(await loss.data(), await criterion.forward(x, t).data(), 0, 'loss');
      assertEqual([(await correct.data())[0], (await count.data())[0]], [1, 2], 'stats');
      criterion.dispose();
    },
  },
];
