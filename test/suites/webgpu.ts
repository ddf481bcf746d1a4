import * as tf from '@tensorflow/tfjs';
import {
  crossEntropy,
  crossEntropyWithStats,
  linearCrossEntropy,
  logSoftmax,
  nllLoss,
  type Reduction,
  softmax,
} from 'tfjs-cross-entropy';
import type { Check } from '../support/check';
import { assertClose, assertEqual, assertThrows, onDevice, withoutLeaks } from '../support/tensors';

/** What the WebGPU kernels promise beyond right results on small tensors: counts, memory, sizes and their limits. */
export function webgpuSuite(backend: string): Check[] {
  if (backend !== 'webgpu') return [];
  const onGpu = sizes
    .filter(({ name }) => /^(means|softmaxes).* \[(7,63|7,64|6,4097|3,65,7)\]/.test(name))
    .map(asOnGpu);
  return [...counts, ...sizes, ...onGpu, ...origins, ...limits].map(({ name, run }) => ({
    name,
    run: (context) => withoutLeaks(() => run(context)),
  }));
}

interface Backend {
  readonly device: GPUDeviceLike;
  readonly pipelineCache: object;
  runWebGPUProgram(...args: unknown[]): tf.TensorInfo;
  makeTensorInfo(shape: number[], dtype: 'float32'): tf.TensorInfo;
  read(...args: unknown[]): unknown;
  readSync(...args: unknown[]): unknown;
}
interface GPUDeviceLike {
  readonly limits: { readonly maxStorageBufferBindingSize: number };
}

const webgpu = () => tf.backend() as unknown as Backend;
const bytesInGPU = () => (tf.memory() as unknown as { numBytesInGPU: number }).numBytesInGPU;
const pipelines = () => Object.keys(webgpu().pipelineCache).length;

/** How often `f` calls a method of the backend, and the largest number of bytes in use after any such call. */
function watch(method: 'runWebGPUProgram' | 'read' | 'readSync', f: () => unknown): { calls: number; bytes: number } {
  const backend = webgpu();
  const original = backend[method] as (...args: unknown[]) => unknown;
  const seen = { calls: 0, bytes: 0 };
  Object.assign(backend, {
    [method](...args: unknown[]) {
      const result = original.apply(backend, args);
      seen.calls++;
      seen.bytes = Math.max(seen.bytes, bytesInGPU());
      return result;
    },
  });
  try {
    f();
  } finally {
    delete (backend as Partial<Backend>)[method]; // the prototype's is back
  }
  return seen;
}

/** Threads share the work in another way where TensorFlow.js runs on a GPU: here it believes that it does. */
const asOnGpu = ({ name, run }: Check): Check => ({
  name: `${name}, shared as on a GPU`,
  async run(context) {
    const backend = webgpu() as { adapterInfo?: object };
    const { adapterInfo } = backend;
    backend.adapterInfo = { ...adapterInfo, architecture: '', isIntel: () => false };
    try {
      await run(context);
    } finally {
      backend.adapterInfo = adapterInfo;
    }
  },
});

/** Reproducible numbers in [-scale, scale). */
function noise(size: number, scale = 4, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

/** Logits and labels on the GPU. */
function example(rows: number, classes: number) {
  const logits = tf.tensor2d(noise(rows * classes), [rows, classes]).mul(1) as tf.Tensor2D;
  const target = tf.tensor1d(labels(rows, classes), 'int32');
  return { logits, target };
}

const labels = (rows: number, classes: number) => Int32Array.from({ length: rows }, (_, row) => (row * 7919) % classes);

const counts: Check[] = [
  ...[
    [128, 10],
    [256, 1000], // a row fits into registers
    [70_000, 3],
    [32, 16_384],
    [8, 128_256], // and does not
    [2_000_000, 1],
  ].map(([rows, classes]) => ({
    name: `2 dispatches for value and gradient of [${rows}, ${classes}], 3 for the mean over labels, another to scale it at first`,
    run() {
      const { logits, target } = example(rows, classes);
      const weight = tf.ones([classes]) as tf.Tensor1D;
      const dispatches = (loss: (x: tf.Tensor2D) => tf.Tensor) =>
        watch('runWebGPUProgram', () => tf.valueAndGrad(loss as (x: tf.Tensor) => tf.Tensor)(logits)).calls;
      for (const options of [{}, { weight, labelSmoothing: 0.1 }]) {
        assertEqual(
          dispatches((x) => crossEntropy(x, target, options)),
          3,
          'mean',
        );
        assertEqual(
          dispatches((x) => crossEntropy(x, target, { ...options, reduction: 'sum' })),
          2,
          'sum',
        );
        assertEqual(
          dispatches((x) => nllLoss(x, target)),
          3,
          'nllLoss',
        );
        if (rows > 1000) continue;
        const q = tf.softmax(logits);
        assertEqual(
          dispatches((x) => crossEntropy(x, q, options)),
          2,
          'mean, probabilities',
        );
      }
      if (rows > 1000) return;
      // By an upstream gradient that is known, as that of a loss times 128 is: no multiplication of it is counted.
      const scaled = (dy: number) =>
        watch('runWebGPUProgram', () =>
          tf.grad((x) => crossEntropy(x as tf.Tensor2D, target, { reduction: 'sum' }))(logits, tf.scalar(dy)),
        ).calls;
      assertEqual([128, 128, 1, 1].map(scaled), [3, 2, 3, 2], 'scaled');
    },
  })),
  {
    name: 'no dispatch for how many rows are right, and how many count',
    run() {
      const { logits, target } = example(300, 20);
      for (const reduction of ['mean', 'sum', 'none'] as const) {
        const plain = (x: tf.Tensor) => crossEntropy(x, target, { reduction });
        const withStats = (x: tf.Tensor) => crossEntropyWithStats(x, target, { reduction }).loss;
        const dy = tf.ones(reduction === 'none' ? [300] : []);
        const gradient = (f: typeof plain) => (x: tf.Tensor) => tf.grad(f)(x, dy);
        // Such a gradient is made from the record.
        const second = (f: typeof plain) => (x: tf.Tensor) => tf.grad(gradient(f))(x, x);
        for (const [what, measured] of Object.entries({ forward: (f: typeof plain) => f, gradient, second })) {
          const dispatches = (f: typeof plain) => watch('runWebGPUProgram', () => measured(f)(logits)).calls;
          dispatches(plain); // the upstream gradient that it expects may be another at first
          assertEqual(dispatches(withStats), dispatches(plain), `${what} of ${reduction}`);
        }
      }
    },
  },
  {
    name: 'nothing is read back before the caller does',
    run() {
      const { logits, target } = example(64, 100);
      const step = () => tf.valueAndGrad((x) => crossEntropy(x, target))(logits);
      assertEqual([watch('read', step).calls, watch('readSync', step).calls], [0, 0], 'readbacks');
    },
  },
  {
    name: 'the extra memory of a step is the gradient and what is proportional to the rows',
    run() {
      const [rows, classes] = [64, 20_000];
      const { logits, target } = example(rows, classes);
      target.add(0); // uploads it
      const step = () => tf.tidy(() => void tf.valueAndGrad((x) => crossEntropy(x, target))(logits));
      step();
      const before = bytesInGPU();
      const extra = watch('runWebGPUProgram', step).bytes - before;
      const most = 1.05 * 4 * rows * classes + 256 * rows;
      if (extra > most) throw new Error(`${extra} bytes, expected at most ${most}`);
    },
  },
  {
    name: 'a loss alone at [128, 50257] takes less than 1 MB',
    run() {
      const { logits, target } = example(128, 50_257);
      const before = bytesInGPU();
      const extra = watch('runWebGPUProgram', () => crossEntropy(logits, target)).bytes - before;
      if (extra > 2 ** 20) throw new Error(`${extra} bytes`);
    },
  },
  {
    name: 'twenty shapes compile no more shaders than the two layouts of rows that they have',
    run() {
      const step = (rows: number, classes: number) => {
        const { logits, target } = example(rows, classes);
        const before = pipelines();
        tf.grad((x) => crossEntropy(x, target, { reduction: 'sum', ignoreIndex: -7 }))(logits);
        return pipelines() - before;
      };
      for (const [rows, classes] of [
        [2, 3],
        [2, 100],
      ])
        step(rows, classes);
      for (let i = 0; i < 20; i++) {
        assertEqual(step(3 + 11 * i, i % 2 === 0 ? 5 + i : 64 + 99 * i), 0, `new shaders for shape ${i}`);
      }
    },
  },
  {
    name: 'a thousand steps leak no buffer',
    async run() {
      const { logits, target } = example(6, 5);
      const gradient = tf.grad((x) => crossEntropy(x, target));
      const step = () => gradient(logits).dispose();
      const settle = async () => {
        const result = tf.tidy(() => logits.sum());
        await result.data();
        result.dispose();
        return bytesInGPU();
      };
      step();
      const before = await settle();
      for (let i = 0; i < 1000; i++) step();
      assertEqual(await settle(), before, 'bytes in GPU');
    },
  },
];

/** What to compute on both backends: everything is made from arrays inside, on the backend that is active. */
type Computation = () => tf.Tensor[];

/** Fails unless this backend's results are those of the CPU. */
async function sameAsOnCpu(compute: Computation, tolerance = 1e-5): Promise<void> {
  const results = async () => {
    const tensors = tf.tidy(compute);
    const values = await Promise.all(tensors.map((tensor) => tensor.data()));
    tf.dispose(tensors);
    return values;
  };
  const backend = tf.getBackend();
  const got = await results();
  tf.setBackend('cpu');
  const want = await results();
  tf.setBackend(backend);
  want.forEach((values, i) => {
    let largest = 1e-2; // below that is rounding only: terms of order 1 cancel
    for (const value of values) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
    assertClose(got[i], values, tolerance * largest, `result ${i}`);
  });
}

/** Logits with rows that hold NaN, Infinity, -Infinity alone or here and there, in each way that rows are laid out. */
function troubled(shape: number[], dim: number): tf.Tensor {
  const values = noise(shape.reduce((a, b) => a * b));
  const classes = shape[dim];
  const inner = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
  const put = (row: number, c: number, value: number) => {
    values[(Math.floor(row / inner) * classes + c) * inner + (row % inner)] = value;
  };
  put(1, classes - 1, Number.NaN);
  put(2, classes >> 1, Number.POSITIVE_INFINITY);
  for (let c = 0; c < classes; c++) put(3, c, Number.NEGATIVE_INFINITY);
  for (let c = 0; c < classes; c += 3) put(4, c, Number.NEGATIVE_INFINITY);
  return tf.tensor(values, shape);
}

const layouts: { shape: number[]; dim: number }[] = [
  { shape: [6, 1], dim: 1 },
  { shape: [7, 63], dim: 1 },
  { shape: [7, 64], dim: 1 },
  { shape: [70, 1001], dim: 1 },
  { shape: [6, 4097], dim: 1 },
  { shape: [6, 16_385], dim: 1 },
  { shape: [2, 5, 40], dim: 1 },
  { shape: [3, 65, 7], dim: 1 },
  { shape: [300, 9], dim: 0 },
  { shape: [20_000, 6], dim: 0 },
  { shape: [66_000, 2], dim: 1 },
];

const sizes: Check[] = layouts.flatMap(({ shape, dim }) => {
  const name = `[${shape}] along ${dim}`;
  const classes = shape[dim];
  const rows = shape.filter((_, axis) => axis !== dim);
  const size = rows.reduce((a, b) => a * b);
  const index = (without: number) =>
    tf.tensor(
      labels(size, classes).map((label, row) => (row === without ? -100 : label)),
      rows,
      'int32',
    );
  const weight = noise(classes, 1, 3).map(Math.abs);
  const probabilities = () => tf.tensor(noise(size * classes, 1, 5).map(Math.abs), shape);
  const upstream = () => tf.tensor(noise(size, 1, 7), rows);
  return [
    {
      name: `losses of ${name}`,
      run: () =>
        sameAsOnCpu(() => {
          const options = { dim, reduction: 'none' } as const;
          const x = troubled(shape, dim);
          return [
            ...both((x) => crossEntropy(x, index(1), options), x, upstream()),
            ...both((x) => crossEntropy(x, index(0), { ...options, weight, labelSmoothing: 0.2 }), x, upstream()),
            ...both((x) => crossEntropy(x, probabilities(), { ...options, weight }), x, upstream()),
            ...both((x) => nllLoss(x, index(1), { ...options, weight }), x, upstream()),
          ];
        }),
    },
    {
      name: `means and sums of ${name}`,
      run: () =>
        sameAsOnCpu(() => {
          const x = tf.tensor(noise(size * classes), shape);
          return (['mean', 'sum'] as Reduction[]).flatMap((reduction) => [
            ...both((x) => crossEntropy(x, index(2), { dim, reduction, weight, labelSmoothing: 0.2 }), x),
            ...both((x) => crossEntropy(x, probabilities(), { dim, reduction }), x),
            ...both((x) => nllLoss(x, index(2), { dim, reduction }), x),
          ]);
        }),
    },
    {
      name: `softmaxes of ${name}`,
      run: () =>
        sameAsOnCpu(() => {
          const x = troubled(shape, dim);
          const dy = probabilities();
          return [...both((x) => logSoftmax(x, dim), x, dy), ...both((x) => softmax(x, dim), x, dy)];
        }),
    },
  ];
});

/** Value and gradient. */
function both(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor, dy?: tf.Tensor): tf.Tensor[] {
  return [f(x), tf.grad(f)(x, dy)];
}

const origins: Check[] = [
  {
    name: 'logits, targets and upstream gradients made on the GPU, slices of others, used by other ops',
    run: () =>
      sameAsOnCpu(() => {
        const x = tf.tensor2d(noise(12 * 130), [12, 130]);
        const target = tf.argMin(x, 1).slice([2], [8]).toInt();
        const f = (x: tf.Tensor) =>
          crossEntropy(x.slice([2, 1], [8, 128]).mul(2), target, { reduction: 'none' }).relu();
        return both(f, x, tf.exp(x.slice([0, 0], [8, 1]).reshape([8])));
      }),
  },
  {
    name: 'floats that were cast from integers, whose buffers hold integers',
    run: () =>
      sameAsOnCpu(() => {
        const x = tf.tensor2d(labels(40, 9), [4, 10], 'int32').add(tf.scalar(1, 'int32')).toFloat();
        const dy = tf.tensor1d([1, 2, 0, 3], 'int32').toFloat();
        const probabilities = tf.cast(x.greater(5), 'int32').toFloat();
        return [
          ...both((x) => crossEntropy(x, tf.tensor1d([1, 2, 3, 4], 'int32'), { reduction: 'none' }), x, dy),
          ...both((x) => crossEntropy(x, probabilities, { reduction: 'none' }), x, dy),
          ...both((x) => logSoftmax(x, 1), x, probabilities),
        ];
      }),
  },
  {
    name: 'second derivatives of chunked rows',
    run: () =>
      sameAsOnCpu(() => {
        const x = tf.tensor2d(noise(2 * 17_000), [2, 17_000]);
        const v = tf.tensor2d(noise(2 * 17_000, 1, 9), [2, 17_000]);
        const target = tf.tensor1d([5, 16_999], 'int32');
        return [tf.grad((x) => tf.sum(tf.mul(v, tf.grad((x) => crossEntropy(x, target))(x))))(x)];
      }),
  },
  {
    name: 'a WebGPU backend by another name',
    async run() {
      const backend = tf.backend();
      tf.registerBackend('renamed', () => backend);
      try {
        tf.setBackend('renamed');
        const logits = tf.tensor2d([1, 2, 3, 4], [2, 2]);
        const target = tf.tensor1d([0, 1], 'int32');
        assertEqual(watch('runWebGPUProgram', () => crossEntropy(logits, target)).calls, 2, 'dispatches');
      } finally {
        tf.setBackend('webgpu');
      }
    },
  },
];

const limits: Check[] = [
  {
    name: 'an input that the device cannot bind',
    run() {
      const { maxStorageBufferBindingSize } = webgpu().device.limits;
      const shape = [maxStorageBufferBindingSize / 4 / 1024 + 1, 1024];
      // Without values, and until somebody runs a program on it, this takes no memory.
      const input = tf.engine().makeTensorFromTensorInfo(webgpu().makeTensorInfo(shape, 'float32'));
      const target = tf.zeros([shape[0]], 'int32');
      const message =
        `A tensor of shape [${shape.join(', ')}] is too large for this device: it needs ${4 * shape[0] * shape[1]} of ` +
        `maxStorageBufferBindingSize, which is ${maxStorageBufferBindingSize}. Use smaller batches.`;
      assertThrows(() => crossEntropy(input, target), message);
      assertThrows(() => logSoftmax(input, 1), message);
    },
  },
  {
    name: 'logits that the device cannot bind: of a linear loss they come in chunks that it can',
    async run() {
      const [rows, features, classes, fitting] = [40, 3, 1000, 7];
      const input = tf.tensor2d(noise(rows * features), [rows, features]);
      const weight = tf.tensor2d(noise(classes * features), [classes, features]);
      const target = tf.tensor1d(labels(rows, classes), 'int32');
      const { device } = webgpu();
      const all = tf.valueAndGrads((x, w) => crossEntropy(tf.matMul(x, w, false, true), target));
      const want = all([input, weight]);
      // As if it had room for seven rows.
      const limits = new Proxy(device.limits, {
        get: (own, name) =>
          name === 'maxStorageBufferBindingSize' ? 4 * classes * fitting + 4 : Reflect.get(own, name, own),
      });
      const own = Object.getOwnPropertyDescriptor(device, 'limits'); // in Node; in pages it is the class's
      Object.defineProperty(device, 'limits', { value: limits, configurable: true });
      try {
        assertThrows(
          () => tf.tidy(() => crossEntropy(tf.matMul(input, weight, false, true), target)),
          'is too large for this device',
        );
        const got = tf.valueAndGrads((x, w) => linearCrossEntropy(x, w, target))([input, weight]);
        assertClose(await got.value.data(), await want.value.data(), 1e-5, 'loss');
        for (const [i, gradient] of got.grads.entries()) {
          assertClose(await gradient.data(), await want.grads[i].data(), 1e-5, `gradient ${i}`);
        }
      } finally {
        delete (device as { limits?: object }).limits;
        if (own) Object.defineProperty(device, 'limits', own);
      }
    },
  },
  {
    name: 'labels that are no class make their own rows NaN, of the gradient too',
    async run() {
      const logits = tf.zeros([4, 3]);
      const target = onDevice(tf.tensor1d([0, 3, -1, 2], 'int32'));
      const losses = await crossEntropy(logits, target, { reduction: 'none' }).data();
      assertClose(losses, [Math.log(3), Number.NaN, Number.NaN, Math.log(3)], 1e-6, 'losses');
      for (const loss of [crossEntropy, nllLoss]) {
        const byRow = tf.grad((x) => tf.sum(loss(x as tf.Tensor2D, target, { reduction: 'none' })))(logits);
        const rows = (await byRow.array()) as number[][];
        const wrong = rows.map((row) => row.every(Number.isNaN));
        assertEqual(wrong, [false, true, true, false], 'rows of the gradient that are NaN');
      }
    },
  },
  {
    name: 'more workgroups than one dimension of a dispatch takes',
    run: () =>
      sameAsOnCpu(() => {
        const [rows, classes] = [66_000, 64]; // a workgroup each in the gradient
        const x = tf.tensor2d(noise(rows * classes), [rows, classes]);
        const target = tf.tensor1d(labels(rows, classes), 'int32');
        return both((x) => crossEntropy(x as tf.Tensor2D, target, { reduction: 'sum' }), x);
      }),
  },
  {
    name: 'the mean of two million equal rows',
    async run() {
      const rows = 2_000_000;
      const logProbs = tf.fill([rows, 1], -0.1);
      const target = tf.zeros([rows], 'int32');
      assertClose(await nllLoss(logProbs, target).data(), [Math.fround(0.1)], 1e-7, 'mean');
    },
  },
  {
    name: 'gradients of tiny probabilities',
    async run() {
      const logits = tf.tensor2d([[0, -20, -40, -60, -80]]);
      const gradient = tf.grad((x) => crossEntropy(x, tf.tensor1d([0], 'int32')))(logits);
      const want = [0, -20, -40, -60, -80].map(Math.exp);
      want[0] = 0;
      assertClose(await gradient.data(), want, (p) => 1e-5 * p || 1e-7, 'gradient');
    },
  },
];
