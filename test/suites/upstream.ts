import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from 'tfjs-cross-entropy';
import { type Check, isHost } from '../support/check';
import { type Problem, solve } from '../support/reference';
import { assertClose, assertEqual, withoutLeaks } from '../support/tensors';

const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;

/** The loss is not the end: it is multiplied, added to others, or weighed by row. */
export function upstreamSuite(backend: string): Check[] {
  return [...sequences(backend), ...throughOps, ...inPlace(backend), ...(isHost(backend) ? expectations : [])].map(
    ({ name, run }) => ({
      name,
      run: (context) => withoutLeaks(() => run(context)),
    }),
  );
}

/** Some come again and again, some by turns; some are too large or small to be expected, or no numbers. */
const CAME = [
  1,
  128,
  128,
  128,
  128,
  -1,
  1 / 3,
  1 / 3,
  1 / 3,
  0,
  0,
  0,
  128,
  NAN,
  128,
  INF,
  -INF,
  128,
  2 ** -40,
  1e30,
  1,
  1,
  128,
];

const problems: Problem[] = [
  { shape: [5, 7], dim: 1 },
  { shape: [2, 70], dim: 1 },
  { shape: [3, 4, 2, 5], dim: 1 },
].flatMap(({ shape, dim }) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const classes = shape[dim];
  const indices = Array.from({ length: size / classes }, (_, i) => (i % 4 === 1 ? -100 : (3 * i) % classes));
  const probabilities = Array.from({ length: size }, (_, i) => 0.05 + Math.abs(Math.cos(i)));
  return (['mean', 'sum', 'none'] as const).flatMap((reduction) =>
    [{ indices }, { probabilities }].map((target) => ({
      kind: 'crossEntropy' as const,
      shape,
      dim,
      input: Array.from({ length: size }, (_, i) => Math.fround(3 * Math.sin(2 * i))),
      target,
      weight: Array.from({ length: classes }, (_, c) => 0.5 + c / 4),
      ignoreIndex: -100,
      reduction,
      labelSmoothing: 'indices' in target ? 0 : 0.1,
      upstream: [1],
    })),
  );
});

const sequences = (backend: string): Check[] =>
  problems.map((problem) => {
    const { shape, dim, target, reduction } = problem;
    const ofIndices = 'indices' in target;
    return {
      name: `any upstream gradient, whatever came before: ${shape}, '${reduction}', ${ofIndices ? 'indices' : 'probabilities'}`,
      async run() {
        const rowShape = shape.filter((_, axis) => axis !== dim);
        const rows = rowShape.reduce((a, b) => a * b, 1);
        const { loss, x } = made(problem);
        const ones = solve({ ...problem, upstream: Array(rows).fill(1) }).gradInput;
        const classes = shape[dim];
        const inner = rowShape.slice(dim).reduce((a, b) => a * b, 1);
        const rowOf = (i: number) => Math.floor(i / (inner * classes)) * inner + (i % inner);
        for (const [step, came] of CAME.entries()) {
          if (!isHost(backend) && step % 2 > 0) continue; // a software renderer takes its time
          // By row the same for all, or each another one.
          const perRow = Array.from({ length: rows }, (_, r) => (step % 2 === 0 || r % 3 === 0 ? came : r - 2));
          const dy = reduction === 'none' ? tf.tensor(perRow, rowShape) : tf.scalar(came);
          const want = ones.map((g, i) => {
            const label = ofIndices ? target.indices[rowOf(i)] : undefined;
            if (label === -100) return 0;
            const k = Math.fround(reduction === 'none' ? perRow[rowOf(i)] : came);
            // As PyTorch has it: of Infinity there are two, one minus the other, wherever there is a coefficient.
            const hasCoefficient = label === undefined || label === Math.floor(i / inner) % classes;
            return !Number.isFinite(k) && hasCoefficient ? NAN : g * k;
          });
          const got = await tf.grad(loss)(x, dy).data();
          const largest = Math.max(...want.map((g) => (Number.isFinite(g) ? Math.abs(g) : 0)));
          assertClose(got, want, 1e-5 * largest, `step ${step}, ${came}`);
        }
      },
    };
  });

function made({ shape, dim, input, target, weight, reduction, labelSmoothing }: Problem) {
  const rowShape = shape.filter((_, axis) => axis !== dim);
  const t = 'indices' in target ? tf.tensor(target.indices, rowShape, 'int32') : tf.tensor(target.probabilities, shape);
  const options = { weight: weight!, reduction, labelSmoothing, dim };
  return { loss: (x: tf.Tensor) => crossEntropy(x, t, options), x: tf.tensor(input, shape) };
}

type Loss = (x: tf.Tensor) => tf.Tensor;

const LABELS = [0, 2, -100, 1];
const label = () => tf.tensor1d(LABELS, 'int32');
const ROW_WEIGHTS = [1, 0.5, 3, 0];
const none = (x: tf.Tensor) => crossEntropy(x, label(), { reduction: 'none' });

/** What is made of the loss, and what comes to its rows by that. */
const MADE: Record<string, { loss: Loss; upstream: (row: number) => number }> = {
  'tf.mul(loss, 128)': { loss: (x) => tf.mul(crossEntropy(x, label()), 128), upstream: () => 128 / 3 },
  '-loss': { loss: (x) => tf.neg(crossEntropy(x, label())), upstream: () => -1 / 3 },
  'loss1 + loss2': {
    loss: (x) => tf.add(crossEntropy(x, label()), crossEntropy(x, label(), { reduction: 'sum' })),
    upstream: () => 1 / 3 + 1,
  },
  'loss1 - loss2 / 4': {
    loss: (x) => tf.sub(crossEntropy(x, label()), tf.div(crossEntropy(x, label(), { reduction: 'sum' }), 4)),
    upstream: () => 1 / 3 - 1 / 4,
  },
  'loss * loss': {
    loss: (x) => tf.square(crossEntropy(x, label())),
    upstream: () => (2 / 3) * lossOf(x0),
  },
  'rows times weights': {
    loss: (x) => tf.sum(tf.mul(none(x), ROW_WEIGHTS)),
    upstream: (row) => ROW_WEIGHTS[row],
  },
  'the mean of rows': { loss: (x) => tf.mean(none(x)), upstream: () => 1 / 4 },
};

const x0 = Array.from({ length: 4 * 300 }, (_, i) => Math.fround(Math.sin(i)));

const problemOf = (upstream: number[], reduction: 'mean' | 'none'): Problem => ({
  kind: 'crossEntropy',
  shape: [4, 300],
  dim: 1,
  input: x0,
  target: { indices: LABELS },
  weight: null,
  ignoreIndex: -100,
  reduction,
  labelSmoothing: 0,
  upstream,
});

const lossOf = (_: number[]) => solve(problemOf([1], 'mean')).value[0];

const throughOps: Check[] = Object.entries(MADE).map(([name, { loss, upstream }]) => ({
  name: `${name}, step by step`,
  async run() {
    const x = tf.tensor(x0, [4, 300]);
    const want = solve(problemOf([0, 1, 2, 3].map(upstream), 'none')).gradInput;
    const largest = Math.max(...want.map(Math.abs));
    for (let step = 0; step < 4; step++) {
      const { value, grad } = tf.tidy(() => tf.valueAndGrad(loss)(x));
      assertClose(await grad.data(), want, 1e-5 * largest, `step ${step}`);
      tf.dispose([value, grad]);
    }
  },
}));

/** The different data as large as `x` that tensors are made of while `f` runs: TensorFlow.js counts shared data twice. */
function largeData(x: tf.Tensor, f: () => tf.Tensor): number {
  const spied = tf.engine() as unknown as { trackTensor(tensor: tf.Tensor, ...rest: unknown[]): void };
  const data = new Set<tf.DataId>();
  const { trackTensor } = spied;
  spied.trackTensor = function (tensor, ...rest) {
    if (tensor.size >= x.size) data.add(tensor.dataId);
    trackTensor.call(this, tensor, ...rest);
  };
  try {
    f().dispose();
  } finally {
    spied.trackTensor = trackTensor;
  }
  data.delete(x.dataId);
  return data.size;
}

/** Nothing as large as the logits is made but the gradient of each loss, and what TensorFlow.js adds gradients up to. */
const inPlace = (backend: string): Check[] =>
  Object.entries(MADE).map(([name, { loss }]) => ({
    name: `${name} takes no second array of the gradient's size`,
    async run() {
      const x = tf.tensor(x0, [4, 300]);
      const arrays = name.includes('loss2') ? 3 : 1;
      for (let step = 0; step < 4; step++) {
        const made = largeData(x, () => tf.tidy(() => tf.grad(loss)(x)));
        const most = backend === 'webgl' ? arrays + 1 : arrays; // it writes to other textures than it reads
        assertEqual(Math.max(made, most), most, `arrays of ${4 * x.size} bytes at step ${step}`);
      }
    },
  }));

/** The upstream gradients that gradients were made for. */
function expectedOf(loss: Loss, upstreams: number[]): number[] {
  const x = tf.tensor(x0, [4, 300]);
  const spied = tf.engine() as unknown as { runKernel(name: string, inputs: object, attrs: object): unknown };
  const seen: number[] = [];
  const { runKernel } = spied;
  spied.runKernel = function (name, inputs, attrs) {
    if (name === 'ScaleGradient') seen.push((attrs as { upstream: number }).upstream);
    return runKernel.call(this, name, inputs, attrs);
  };
  try {
    for (const dy of upstreams) tf.dispose(tf.grad(loss)(x, tf.scalar(dy)));
  } finally {
    spied.runKernel = runKernel;
  }
  return seen;
}

const mean: Loss = (x) => crossEntropy(x, label());

const expectations: Check[] = [
  {
    name: 'a power of two that comes again is what a gradient is made for',
    async run() {
      assertEqual(
        expectedOf(mean, [128, 128, 128, -1, -1, 0.25, 0.25, 1, 1]).slice(1),
        [128, 128, 128, -1, -1, 0.25, 0.25, 1],
        '',
      );
    },
  },
  {
    name: 'nothing else is: what comes out must not depend on what came before',
    async run() {
      for (const dy of [0, 3, 1 / 3, NAN, INF, 2 ** 40, 2 ** -40]) {
        assertEqual(expectedOf(mean, [dy, dy, 1]).slice(1), [1, 1], `${dy}`);
      }
    },
  },
  {
    name: 'each loss of a step has its own',
    async run() {
      const both: Loss = (x) =>
        tf.add(tf.mul(mean(x), 4), tf.mul(crossEntropy(x, label(), { reduction: 'sum' }), 1 / 4));
      // The one that was made last comes first.
      assertEqual(expectedOf(both, [1, 1, 1]).slice(2), [1 / 4, 4, 1 / 4, 4], '');
    },
  },
  {
    name: 'and so the gradient is the same to the last bit, whatever came before',
    async run() {
      const x = tf.tensor(x0, [4, 300]);
      const [first, others] = [[], []] as Float32Array[][];
      for (const [results, before] of [
        [first, 1],
        [others, 128],
        [others, -0.5],
      ] as const) {
        for (const dy of [before, before, 3]) {
          const g = tf.grad(mean)(x, tf.scalar(dy));
          if (dy === 3) results.push((await g.data()) as Float32Array);
        }
      }
      for (const other of others) assertEqual(Array.from(other), Array.from(first[0]), 'bits');
    },
  },
];
