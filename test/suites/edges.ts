import * as tf from '@tensorflow/tfjs';
import { crossEntropy, nllLoss, type Reduction } from 'tfjs-cross-entropy';
import type { Check } from '../support/check';
import { assertClose, assertEqual, assertThrows, onDevice, withoutLeaks } from '../support/tensors';

const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
const int32 = (...labels: number[]) => tf.tensor1d(labels, 'int32');

type Loss = (x: tf.Tensor) => tf.Tensor;

/** Rows that count nothing, divisors of 0, upstream gradients that are no number, labels at the ends of int32. */
export function edgeSuite(backend: string): Check[] {
  return [...nothing, ...sums, ...upstreams, ...labels(backend), ...debugging].map(({ name, run }) => ({
    name,
    run: (context) => withoutLeaks(() => run(context)),
  }));
}

async function assertBoth(loss: Loss, x: tf.Tensor, value: number[], gradient: number[], dy?: tf.Tensor) {
  assertClose(await loss(x).data(), value, 1e-5, 'value');
  assertClose(await tf.grad(loss)(x, dy).data(), gradient, 1e-5, 'gradient');
}

/** Logits that have no softmax. */
const HOPELESS = [
  [-INF, -INF],
  [NAN, 2],
  [2, NAN],
  [INF, 0],
  [INF, -INF],
];

const nothing: Check[] = [
  ...HOPELESS.flatMap((row) =>
    [1, 300].flatMap((repeated) => {
      const name = `[${row}]${repeated > 1 ? ', each class 300 times' : ''}`;
      const many = (numbers: number[]) => numbers.flatMap((number) => Array<number>(repeated).fill(number));
      const zeros = many([0, 0]);
      const p = many([1 / (1 + Math.E) / repeated, Math.E / (1 + Math.E) / repeated]);
      const x = () => tf.tensor2d([many(row), many([1, 2])]);
      return [
        {
          name: `0 of a row whose probabilities are all 0: ${name}`,
          async run() {
            const one = [1, ...zeros.slice(1)];
            const target = tf.tensor2d([zeros, one]);
            const g = p.map((pc, c) => pc - one[c]);
            const lossOfOne = -Math.log(p[0]);
            await assertBoth((x) => crossEntropy(x, target, { reduction: 'sum' }), x(), [lossOfOne], [...zeros, ...g]);
            await assertBoth(
              (x) => crossEntropy(x, target),
              x(),
              [lossOfOne / 2],
              [...zeros, ...g.map((value) => value / 2)],
            );
          },
        },
        {
          name: `0 of a row whose class weights are all 0: ${name}`,
          async run() {
            const weight = many([0, 0]);
            const target = int32(0, repeated);
            for (const labelSmoothing of [0, 0.1]) {
              const options = { weight, labelSmoothing, reduction: 'sum' } as const;
              await assertBoth((x) => crossEntropy(x, target, options), x(), [0], [...zeros, ...zeros]);
            }
            const ones = many([1, 1]);
            ones[0] = 0;
            const g = p.map((pc, c) => pc - (c === repeated ? 1 : 0));
            const loss = (x: tf.Tensor) => crossEntropy(x, target, { weight: ones });
            await assertBoth(loss, x(), [-Math.log(p[repeated])], [...zeros, ...g]);
          },
        },
        {
          name: `but NaN where coefficients cancel, or a row counts: ${name}`,
          async run() {
            const cancel = zeros.slice();
            [cancel[0], cancel[cancel.length - 1]] = [1, -1];
            const target = tf.tensor2d([cancel, zeros]);
            const nans = zeros.map(() => NAN);
            await assertBoth((x) => crossEntropy(x, target, { reduction: 'sum' }), x(), [NAN], [...nans, ...zeros]);
            const label = int32(0, -100);
            await assertBoth((x) => crossEntropy(x, label), x(), [NAN], [...nans, ...zeros]);
            // Class weights that cancel, and a label without any.
            const weight = many([0, 0]).concat(1, -1);
            const logits = tf.tensor2d([...many(row), row[1], row[1]], [1, weight.length]);
            const options = { weight, labelSmoothing: 0.5, reduction: 'sum' } as const;
            const smoothed = (x: tf.Tensor) => crossEntropy(x, int32(0), options);
            await assertBoth(smoothed, logits, [NAN], Array(weight.length).fill(NAN));
          },
        },
      ];
    }),
  ),
  {
    name: 'nllLoss of a label of weight 0',
    async run() {
      const x = tf.tensor2d([
        [NAN, 2],
        [-1, -2],
      ]);
      await assertBoth((x) => nllLoss(x, int32(0, 1), { weight: [0, 1] }), x, [2], [0, 0, 0, -1]);
    },
  },
  {
    name: 'a mean whose weights are all 0',
    async run() {
      const x = tf.tensor2d([
        [1, 2, 0],
        [0, 1, 3],
      ]);
      const weight = [0, 1, 1];
      const target = int32(0, 0);
      await assertBoth((x) => nllLoss(x, target, { weight }), x, [NAN], [NAN, 0, 0, NAN, 0, 0]);
      const nans = Array(6).fill(NAN);
      await assertBoth((x) => crossEntropy(x, target, { weight }), x, [NAN], nans);
      await assertBoth((x) => crossEntropy(x, target, { weight, labelSmoothing: 0.1 }), x, [NAN], nans);
      const ignored = int32(-100, 0);
      const some = [0, 0, 0, NAN, NAN, NAN];
      await assertBoth((x) => crossEntropy(x, ignored, { weight, labelSmoothing: 0.1 }), x, [NAN], some);
    },
  },
  {
    name: 'no rows',
    async run() {
      for (const [reduction, value] of [
        ['mean', [NAN]],
        ['sum', [0]],
        ['none', []],
      ] as [Reduction, number[]][]) {
        const x = tf.zeros([0, 3]);
        await assertBoth((x) => crossEntropy(x, tf.zeros([0], 'int32'), { reduction }), x, value, []);
        await assertBoth((x) => nllLoss(x, tf.zeros([0], 'int32'), { reduction }), x, value, []);
        await assertBoth((x) => crossEntropy(x, tf.zeros([0, 3]), { reduction }), x, value, []);
      }
    },
  },
];

const sums: Check[] = [
  [1, 32_769, 2],
  [32_769, 3],
  [2, 32_769],
].map((shape) => ({
  name: `sums over 32,769 classes: ${shape.join('x')}`,
  async run() {
    const dim = shape.indexOf(32_769);
    const rows = shape.filter((_, axis) => axis !== dim);
    const x = tf.zeros(shape);
    const smoothed = crossEntropy(x, tf.zeros(rows, 'int32'), { dim, labelSmoothing: 1 });
    assertClose(await smoothed.data(), [10.397238], 1e-5, 'smoothing');
    const uniform = crossEntropy(x, tf.fill(shape, 1 / 32_769, 'float32'), { dim });
    assertClose(await uniform.data(), [10.397238], 1e-5, 'probabilities');
    // Terms that are all the same, whose rounding errors do not cancel.
    const loss = (x: tf.Tensor) => crossEntropy(x, tf.zeros(rows, 'int32'), { dim, labelSmoothing: 1 });
    const count = tf.scalar(x.size);
    const slope = (x: tf.Tensor) => tf.grad(loss)(x, count);
    const v = tf
      .oneHot(tf.zeros([1], 'int32'), x.size)
      .reshape(shape)
      .toFloat() as tf.Tensor;
    const second = tf.grad(slope)(x, v).flatten().slice(0, 1);
    assertClose(await second.data(), [1 - 1 / 32_769], 1e-5, 'second derivative');
  },
}));

const upstreams: Check[] = [NAN, INF, -INF].map((dy) => ({
  name: `an upstream gradient of ${dy} multiplies as in IEEE 754, but for ignored rows`,
  async run() {
    const gradient = async (f: Loss, x: number[][], upstream: number | number[]) =>
      Array.from(await tf.grad(f)(tf.tensor2d(x), tf.tensor(upstream)).data());
    assertEqual(
      (await gradient((z) => crossEntropy(z, int32(0)), [[200, 0]], dy)).map(Number.isNaN),
      [true, true],
      'a gradient of 0',
    );
    const pair = [
      [1, 2],
      [3, 1],
    ];
    const none = { reduction: 'none' } as const;
    assertClose(await gradient((z) => crossEntropy(z, int32(-100, -100), none), pair, [dy, dy]), [0, 0, 0, 0], 0, '0');
    const byRow = await gradient((z) => crossEntropy(z, int32(-100, 1), none), pair, [dy, 1]);
    assertClose(byRow, [0, 0, 0.8807971, -0.8807971], 1e-5, 'one ignored');
    const zero = { ...none, weight: [0, 1] };
    assertClose(
      await gradient((z) => crossEntropy(z, int32(0, 1), zero), pair, [dy, 1]),
      [NAN, NAN, 0.8807971, -0.8807971],
      1e-5,
      'a weight of 0',
    );
    assertClose(await gradient((z) => nllLoss(z, int32(0, 1), zero), pair, [dy, 1]), [NAN, 0, 0, -1], 0, 'nllLoss');
    assertClose(await gradient((z) => nllLoss(z, int32(0, -100)), pair, dy), [-dy, 0, 0, 0], 0, 'nllLoss, mean');
    const smoothed = (z: tf.Tensor) => crossEntropy(z, int32(-100, 1), { ...none, labelSmoothing: 0.5 });
    assertClose(await gradient(smoothed, pair, [1, dy]), [0, 0, NAN, NAN], 0, 'smoothed');
    const shares = tf.tensor2d([0.25, 0.75, 0, 1], [2, 2]);
    const byShares = await gradient((z) => crossEntropy(z, shares, none), pair, [dy, 1]);
    assertClose(byShares, [NAN, NAN, 0.8807971, -0.8807971], 1e-5, 'probabilities');
    const probabilities = tf.tensor2d([
      [0, 0],
      [0, 1],
    ]);
    assertClose(
      await gradient((z) => crossEntropy(z, probabilities, none), pair, [dy, 1]),
      [NAN, NAN, 0.8807971, -0.8807971],
      1e-5,
      'probabilities of 0',
    );
  },
}));

const labels = (backend: string): Check[] => [
  ...[-(2 ** 31), -(2 ** 31) + 1, -(2 ** 24) - 1, 2 ** 24 + 1, 2 ** 31 - 2, 2 ** 31 - 1].map((ignoreIndex) => ({
    name: `labels of ${ignoreIndex} are ignored, and those beside it are not`,
    async run() {
      const none = { reduction: 'none', ignoreIndex } as const;
      const ignored = (loss: typeof crossEntropy) => {
        const x = tf.tensor2d([
          [2, 1],
          [0, 3],
        ]);
        return tf.grad((x: tf.Tensor) => loss(x, int32(ignoreIndex, 1), none))(x, tf.tensor1d([5, 1]));
      };
      assertClose(await ignored(crossEntropy).data(), [0, 0, 0.0474259, -0.0474259], 1e-6, 'crossEntropy');
      assertClose(await ignored(nllLoss).data(), [0, 0, 0, -1], 0, 'nllLoss');
      const beside = [ignoreIndex - 1, ignoreIndex + 1].filter((label) => label === (label | 0));
      for (const loss of [crossEntropy, nllLoss]) {
        for (const label of beside) {
          const [row, rows] = [() => tf.tensor1d([2, 1]), () => tf.tensor2d([2, 1, 0, 3], [2, 2])];
          const message = `Target ${label} is out of bounds.`;
          assertThrows(() => loss(row(), tf.scalar(label, 'int32'), none), message);
          assertThrows(() => loss(rows(), int32(ignoreIndex, label), none), message);
          if (backend !== 'webgpu') continue; // WebGL rounds what is made there
          const f = (x: tf.Tensor) => loss(x, onDevice(int32(label, ignoreIndex)), none);
          assertClose(await f(rows()).data(), [NAN, 0], 0, `the loss of ${label}`);
          assertClose(await tf.grad(f)(rows()).data(), [NAN, NAN, 0, 0], 0, `the gradient of ${label}`);
        }
      }
    },
  })),
  {
    name: 'a label beyond 2^24',
    async run() {
      const classes = 16_777_221;
      const label = 16_777_217;
      const logits = new Float32Array(classes);
      logits[label] = 30;
      const x = tf.tensor2d(logits, [1, classes]);
      const sum = 1 + (classes - 1) * Math.exp(-30);
      const f = (x: tf.Tensor) => crossEntropy(x, int32(label));
      assertClose(await f(x).data(), [Math.log(sum)], 3e-7, 'loss');
      const others = Math.exp(-30) / sum;
      const nll = (x: tf.Tensor) => nllLoss(x, int32(label));
      assertClose(await nll(x).data(), [-30], 0, 'nllLoss');
      /** The element of a label and those beside it: neither WebGL's slice nor its readback is exact so far out. */
      const around = async (x: tf.Tensor) =>
        (await Promise.all([-1, 0, 1].map((i) => nllLoss(x, int32(label + i)).data()))).map(([loss]) => -loss);
      const want = [others, 1 / sum - 1, others];
      assertClose(await around(tf.grad(f)(x)), want, (g) => (g < 0 ? 3e-7 : 1e-2 * g), 'gradient');
      assertClose(await around(tf.grad(nll)(x)), [0, -1, 0], 0, 'gradient of nllLoss');
    },
  },
];

const debugging: Check[] = [
  {
    name: 'in debug mode, and with the leak check of TensorFlow.js’s own tests',
    async run() {
      const flags = ['DEBUG', 'IS_TEST'] as const;
      const before = flags.map((flag) => tf.env().getBool(flag));
      const { log, warn } = console;
      Object.assign(console, { log() {}, warn() {} }); // a line a kernel
      for (const flag of flags) tf.env().set(flag, true);
      try {
        const x = tf.tensor2d([1, 2, 0, 0, 1, 3], [2, 3]);
        const targets = [
          int32(0, 2),
          int32(-100, -100),
          int32(-100, 1),
          tf.tensor2d([0, 0, 0, 0.5, 0.25, 0.25], [2, 3]),
        ];
        for (const target of targets) {
          for (const reduction of ['mean', 'sum', 'none'] as const) {
            const losses: Loss[] = [
              (x) => crossEntropy(x, target, { reduction, weight: [0, 1, 2], labelSmoothing: 0.1 }),
              (x) => (target.rank === 1 ? nllLoss(x, target, { reduction }) : crossEntropy(x, target, { reduction })),
            ];
            for (const loss of losses) {
              const { value, grad } = tf.valueAndGrad(loss)(x);
              await Promise.all([value.data(), grad.data(), loss(x).data()]);
            }
          }
        }
      } finally {
        flags.forEach((flag, i) => {
          tf.env().set(flag, before[i]);
        });
        Object.assign(console, { log, warn });
      }
    },
  },
];
