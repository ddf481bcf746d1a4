import * as tf from '@tensorflow/tfjs';
import {
  crossEntropy,
  crossEntropyWithStats,
  linearCrossEntropy,
  logSoftmax,
  nllLoss,
  softmax,
} from 'tfjs-cross-entropy';
import type { Check } from '../support/check';
import { assertClose, assertEqual, assertThrows, onDevice, withoutLeaks } from '../support/tensors';

/** What only the shaders can get wrong: texel addresses, counts of programs and bytes, and devices' limits. */
export function webglSuite(backend: string): Check[] {
  if (backend !== 'webgl') return [];
  return [...agreement(), ...inputs(), ...costs(), ...devices()];
}

/** The parts of TensorFlow.js's backend that show what a call costs. */
interface Backend {
  readonly binaryCache: Record<string, unknown>;
  readonly gpgpu: { executeProgram(): void };
  readonly textureManager: { numUsedTextures: number; numBytesAllocated: number };
  readonly numBytesInGPU: number;
  readSync(...args: unknown[]): unknown;
  read(...args: unknown[]): unknown;
}
const webgl = () => tf.backend() as unknown as Backend;

type Op = (x: tf.Tensor, ...others: tf.Tensor[]) => tf.Tensor;

/** The class dimension first, in the middle and last, odd and even, in one pass and in chunks. */
const VIEWS: [shape: number[], dim: number][] = [
  [[7], 0],
  [[1], 0],
  [[3, 1], 1],
  [[5, 7], 1],
  [[5, 7], 0],
  [[6, 8], 0],
  [[2, 3, 5], 0],
  [[2, 3, 5], 1],
  [[3, 3, 4], 2],
  [[3, 4, 3, 5], 0],
  [[3, 4, 3, 5], 1],
  [[3, 4, 3, 5], 2],
  [[3, 5, 3, 5], 3],
  [[2, 3, 2, 3, 2], 1],
  [[3, 2051], 1],
  [[2, 3, 1501], 2],
  [[2051, 3], 0],
  [[2, 1302, 3], 1],
  [[2, 1301, 3, 3], 1],
  [[1301, 2, 2, 3], 0],
  [[70001, 3], 1],
  [[3, 65601], 0],
  [[3, 50257], 1],
  [[2, 128256], 1],
];

const OPTIONS = [
  {},
  { weighted: true, ignoreIndex: 1 },
  { labelSmoothing: 0.1, reduction: 'none' },
  { weighted: true, labelSmoothing: 0.3, ignoreIndex: 0, reduction: 'sum' },
] as const;

/** The kernels of the `cpu` backend, which the golden data proves, give the same. */
function agreement(): Check[] {
  const views = VIEWS.map(([shape, dim]) => ({
    name: `agrees with cpu: ${shape.join('x')}, dim ${dim}`,
    run: async () => {
      const classes = shape[dim];
      const rows = shape.filter((_, axis) => axis !== dim);
      const x = random(shape, 1);
      const v = random(shape, 2);
      const probabilities = random(shape, 3).map(Math.abs);
      const labels = random(rows, 4).map((value) => Math.floor(Math.abs(value) * 1000) % classes);
      const weight = random([classes], 5).map((value) => value ** 2 + 0.1);
      const results = () => {
        const logits = tf.tensor(x, shape);
        const index = tf.tensor(labels, rows, 'int32');
        const tensors: tf.Tensor[] = [];
        const add = (f: (x: tf.Tensor) => tf.Tensor, input = logits) => {
          const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => f(x))(input);
          tensors.push(value, grad);
        };
        for (const { weighted, ...rest } of OPTIONS as readonly { weighted?: boolean; ignoreIndex?: number }[]) {
          const options = { ...rest, dim, weight: weighted ? weight : undefined };
          add((x) => crossEntropy(x, index, options));
          const { ignoreIndex, ...others } = options;
          add((x) => crossEntropy(x, tf.tensor(probabilities, shape), others));
          const { labelSmoothing, ...nll } = options as typeof options & { labelSmoothing?: number };
          add((x) => nllLoss(x, index, nll));
        }
        for (const op of [logSoftmax, softmax]) add((x) => tf.mul(op(x, dim), tf.tensor(v, shape)));
        return tensors;
      };
      await agree(results);
    },
  }));
  const manyRows = {
    name: 'the mean of 200,003 rows to 1e-6',
    run: () =>
      agree(() => {
        const x = tf.tensor2d(random([200003, 3], 1), [200003, 3]);
        const target = tf.fill([200003], 1, 'int32');
        return [crossEntropy(x, target, { weight: [1, 0.3, 2] }), nllLoss(x, target)];
      }, 1e-6),
  };
  return [...views, manyRows];
}

/** Runs `f` on the active backend and on `cpu`, and compares what comes out. */
async function agree(f: () => tf.Tensor[], tolerance = 1e-5): Promise<void> {
  const read = async () =>
    Promise.all(
      tf.tidy(f).map(async (tensor) => {
        const data = await tensor.data();
        tensor.dispose();
        return data;
      }),
    );
  const got = await read();
  await tf.setBackend('cpu');
  const want = await read();
  await tf.setBackend('webgl');
  want.forEach((data, i) => {
    let largest = 1;
    for (const value of data) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
    assertClose(got[i], data, tolerance * largest, `result ${i}`);
  });
}

/** Numbers between -4 and 4, the same each time. */
function random(shape: readonly number[], seed: number): Float32Array {
  let state = seed * 7919;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 8 - 4;
  };
  return Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, next);
}

/** Tensors as they come from other ops, and go to them. */
function inputs(): Check[] {
  return [
    {
      name: 'targets and upstream gradients made on the GPU, unpacked and sliced logits',
      run: () =>
        agree(() => {
          const all = tf.cumsum(tf.tensor(random([7, 9, 5], 1), [7, 9, 5]), 0); // unpacked, as few ops' outputs are
          const x = tf.slice(all, [2, 0, 0], [4, 9, 5]);
          const target = tf.argMax(tf.slice(all, [1, 0, 0], [4, 9, 5]), 1);
          const dy = tf.cumsum(tf.tensor(random([4, 5], 2), [4, 5]), 1);
          const [byX] = tf.grads((x: tf.Tensor) => crossEntropy(x, target, { reduction: 'none' }))([x], dy);
          const scaled = tf.grad((x: tf.Tensor) => tf.mul(crossEntropy(x, target), tf.sum(dy)))(x);
          return [byX, scaled, softmax(x, 1), nllLoss(x, target)];
        }),
    },
    {
      name: 'between ops of TensorFlow.js, with an odd number of classes',
      run: () =>
        agree(() => {
          const [x, w] = [tf.tensor2d(random([9, 5], 1), [9, 5]), tf.tensor2d(random([5, 7], 2), [5, 7])];
          const target = tf.tensor1d([0, 6, 2, 5, 1, 3, 4, 0, 6], 'int32');
          const loss = (x: tf.Tensor2D, w: tf.Tensor2D) => tf.square(crossEntropy(tf.matMul(x, w), target));
          const p = softmax(tf.mul(x, 0.1), 1); // two of it, so that no padding of another op covers up ours
          return [...tf.grads(loss as Op)([x, w]), tf.matMul(p, p, false, true)];
        }),
    },
    ...(['5x6, dim 1', '6x5, dim 0', '6x2x2x5, dim 0', '5x301, dim 1'] as const).map((name) => ({
      name: `NaN, Infinity, and ignored rows: ${name}`,
      run: () => {
        const [shape, dim] = [name.split(',')[0].split('x').map(Number), Number(name.at(-1))];
        const rows = shape.filter((_, axis) => axis !== dim);
        const nonFinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1e30, 1e30];
        const buffer = tf.buffer(shape, 'float32', random(shape, 1));
        nonFinite.forEach((value, row) => {
          for (const c of value === Number.NEGATIVE_INFINITY ? Array(shape[dim]).keys() : [1]) {
            const at = rows.map((_, axis) => (axis === rows.length - 1 ? row : 0));
            at.splice(dim, 0, c);
            buffer.set(value, ...at);
          }
        });
        return agree(() => {
          const x = buffer.toTensor();
          const target = tf.fill(rows, 0, 'int32');
          const probabilities = tf.tensor(random(shape, 2), shape);
          const options = { dim, reduction: 'none' } as const;
          return [
            ...[{}, { labelSmoothing: 0.1 }, { ignoreIndex: 0 }].flatMap((extra) => {
              const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
                crossEntropy(x, target, { ...options, ...extra }),
              )(x);
              return [value, grad];
            }),
            crossEntropy(x, probabilities, options),
            logSoftmax(x, dim),
            softmax(x, dim),
          ];
        });
      },
    })),
  ];
}

/** Programs, bytes and textures. */
function costs(): Check[] {
  const problem = (rows: number, classes: number) => {
    const x = tf.tensor2d(random([rows, classes], 1), [rows, classes]);
    const target = tf.tensor1d(
      Int32Array.from({ length: rows }, (_, row) => (row * 7919) % classes),
      'int32',
    );
    const step = () => tf.valueAndGrad((x: tf.Tensor) => crossEntropy(x, target))(x);
    tf.tidy(() => void step()); // uploads
    return { x, target, step };
  };
  return [
    ...[
      { rows: 128, classes: 10, forward: 2, programs: 4 },
      { rows: 256, classes: 1000, forward: 2, programs: 4 },
      { rows: 3000, classes: 10, forward: 3, programs: 5 },
      { rows: 1_050_000, classes: 2, forward: 3, programs: 5 },
      { rows: 128, classes: 50257, forward: 3, programs: 5 },
      { rows: 1100, classes: 1100, forward: 3, programs: 5 },
    ].map(({ rows, classes, forward, programs }) => ({
      name: `${programs} programs and no readback: ${rows} x ${classes}`,
      run: () =>
        withoutLeaks(() => {
          const { x, target, step } = problem(rows, classes);
          assertEqual(
            count(() => crossEntropy(x, target)),
            { programs: forward, reads: 0 },
            'forward',
          );
          assertEqual(count(step), { programs, reads: 0 }, 'forward and backward');
        }),
    })),
    {
      name: 'no program for how many rows are right, and how many count',
      run: () =>
        withoutLeaks(() => {
          for (const [rows, classes] of [
            [128, 10],
            [3000, 10],
            [16, 2000],
          ]) {
            const { x, target } = problem(rows, classes);
            for (const reduction of ['mean', 'sum', 'none'] as const) {
              const plain = (x: tf.Tensor) => crossEntropy(x, target, { reduction });
              const withStats = (x: tf.Tensor) => crossEntropyWithStats(x, target, { reduction }).loss;
              const dy = tf.ones(reduction === 'none' ? [rows] : []);
              const gradient = (f: typeof plain) => (x: tf.Tensor) => tf.grad(f)(x, dy);
              // Such a gradient is made from the record.
              const second = (f: typeof plain) => (x: tf.Tensor) => tf.grad(gradient(f))(x, x);
              for (const [what, measured] of Object.entries({ forward: (f: typeof plain) => f, gradient, second })) {
                count(() => measured(plain)(x)); // uploads
                const ofLoss = count(() => measured(plain)(x)).programs;
                const { programs } = count(() => measured(withStats)(x));
                assertTrue(
                  programs <= ofLoss,
                  `${what} of ${reduction}, ${rows} x ${classes}: ${programs}, not ${ofLoss}`,
                );
              }
            }
          }
        }),
    },
    {
      name: 'the loss, the rows that are right and those that count share a texture until the last is disposed',
      run: () =>
        withoutLeaks(async () => {
          const { x, target } = problem(7, 5);
          for (const reduction of ['mean', 'none'] as const) {
            const { loss, correct, count } = crossEntropyWithStats(x, target, { reduction });
            const values = await Promise.all(
              [loss, correct, count].map(async (tensor) => (await tensor.mul(2).data())[0]),
            );
            const twice = correct.clone();
            tf.dispose([loss, correct]);
            const rest = await Promise.all([twice, count].map(async (tensor) => (await tensor.data())[0]));
            assertEqual(
              rest.map((value) => 2 * value),
              values.slice(1),
              `what is left of ${reduction}`,
            );
          }
        }),
    },
    {
      name: 'memory: the gradient, and a few numbers a row',
      run: () =>
        withoutLeaks(() => {
          const [rows, classes] = [128, 50257];
          const { x, target, step } = problem(rows, classes);
          const forward = peakBytes(() => crossEntropy(x, target));
          assertTrue(forward <= 2 ** 20, `forward took ${forward} bytes`);
          const gradient = 4 * rows * (classes + 1); // a texel has two columns
          const both = peakBytes(step);
          assertTrue(both <= 1.05 * gradient, `forward and backward took ${both} bytes, the gradient ${gradient}`);
        }),
    },
    {
      name: 'no program for a new batch size or class count',
      run: () =>
        withoutLeaks(() => {
          // Uploads compile for each shape; we do not.
          const programs = () => Object.keys(webgl().binaryCache).filter((key) => key.includes('expOf')).length;
          const sizes = Array.from({ length: 20 }, (_, i) => i + 3);
          for (const large of [0, 2000]) {
            let before = 0;
            for (const size of sizes) {
              problem(size, size + large + 1);
              if (size === 4) before = programs(); // an odd and an even one were there
            }
            assertTrue(before > 0, 'our programs not found');
            assertEqual(programs() - before, 0, 'programs compiled');
          }
        }),
    },
    {
      name: 'no texture is left by 1,000 steps',
      run: () =>
        withoutLeaks(() => {
          const { step } = problem(6, 200);
          const textures = () => {
            const { numUsedTextures, numBytesAllocated } = webgl().textureManager;
            return { numUsedTextures, numBytesAllocated };
          };
          const before = textures();
          for (let i = 0; i < 1000; i++) tf.tidy(() => void step());
          assertEqual(textures(), before, 'textures');
        }),
    },
  ];
}

/** The programs that `f` runs, and the tensors that it reads back. */
function count(f: () => unknown) {
  const backend = webgl();
  const counts = { programs: 0, reads: 0 };
  const counting = <F extends (...args: never[]) => unknown>(what: keyof typeof counts, original: F) =>
    function (this: unknown, ...args: Parameters<F>) {
      counts[what]++;
      return original.apply(this, args);
    } as F;
  const { executeProgram } = backend.gpgpu;
  const { readSync, read } = backend;
  backend.gpgpu.executeProgram = counting('programs', executeProgram);
  backend.readSync = counting('reads', readSync);
  backend.read = counting('reads', read);
  try {
    tf.tidy(() => void f());
  } finally {
    Object.assign(backend.gpgpu, { executeProgram });
    Object.assign(backend, { readSync, read });
  }
  return counts;
}

/** The most that `f` holds on the GPU at a time, beyond what was there. */
function peakBytes(f: () => unknown): number {
  const backend = webgl();
  const { executeProgram } = backend.gpgpu;
  const before = backend.numBytesInGPU;
  let peak = 0;
  backend.gpgpu.executeProgram = function (this: unknown) {
    peak = Math.max(peak, backend.numBytesInGPU - before);
    executeProgram.call(this);
  };
  try {
    tf.tidy(() => void f());
  } finally {
    Object.assign(backend.gpgpu, { executeProgram });
  }
  return peak;
}

function assertTrue(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** Half floats, WebGL 1, backends by other names, and textures that are too large. */
function devices(): Check[] {
  return [
    {
      name: 'half floats: within 2e-3, labels up to 65,535',
      run: () =>
        withFlag('WEBGL_RENDER_FLOAT32_ENABLED', false, () =>
          agree(() => {
            const classes = 65536;
            const x = tf.tensor2d(random([4, classes], 1), [4, classes]);
            const target = tf.tensor1d([2049, 65535, 40001, 0], 'int32');
            const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => crossEntropy(x, target))(x);
            const small = tf.tensor2d(random([4, 7], 2), [4, 7]);
            const labels = tf.tensor1d([3, -100, 6, 0], 'int32');
            const both = [{}, { labelSmoothing: 0.2 }].flatMap((options) => {
              const result = tf.valueAndGrad((x: tf.Tensor) => crossEntropy(x, labels, options))(small);
              return [result.value, result.grad];
            });
            return [value, grad, ...both, softmax(small, 1), logSoftmax(small, 0)];
          }, 2e-3),
        ),
    },
    {
      name: 'half floats: labels of a linear loss, chunk by chunk',
      run: () =>
        withFlag('WEBGL_RENDER_FLOAT32_ENABLED', false, () =>
          agree(() => {
            const [rows, classes] = [256, 4099];
            const [x, w] = [
              tf.tensor2d(random([rows, 4], 1), [rows, 4]),
              tf.tensor2d(random([classes, 4], 2), [classes, 4]),
            ];
            const weight = random([classes], 3).map((value) => value ** 2 + 0.1);
            const labels = () =>
              tf.tensor1d(
                Int32Array.from({ length: rows }, (_, i) => 2049 + 8 * i),
                'int32',
              );
            return [{ reduction: 'none' as const }, {}, { weight }].map((options) =>
              linearCrossEntropy(x, w, labels(), { ...options, batchChunkSize: 64 }),
            );
          }, 2e-3),
        ),
    },
    {
      name: 'a tensor that no texture holds is an error that says what to do',
      run: () =>
        withFlag('WEBGL_MAX_TEXTURE_SIZE', 16, () =>
          withoutLeaks(() => {
            const x = tf.tensor2d(random([64, 20], 1), [64, 20]);
            assertThrows(
              () => softmax(x, 1),
              'A tensor of shape [64, 20] is too large for this device: it needs 18 of WEBGL_MAX_TEXTURE_SIZE, which is ' +
                '16. Use smaller batches.',
            );
          }),
        ),
    },
    {
      name: 'labels that are no class make their own rows NaN, of the gradient too',
      run: () =>
        withoutLeaks(async () => {
          const logits = tf.zeros([4, 3]);
          const target = onDevice(tf.tensor1d([0, 3, -1, 2], 'int32'));
          for (const loss of [crossEntropy, nllLoss]) {
            const f = (x: tf.Tensor) => loss(x as tf.Tensor2D, target, { reduction: 'none' });
            const losses = Array.from(await f(logits).data(), Number.isNaN);
            const rows = (await tf
              .grad((x: tf.Tensor) => tf.sum(f(x)))(logits)
              .array()) as number[][];
            assertEqual(losses, [false, true, true, false], 'losses that are NaN');
            assertEqual(
              rows.map((row) => row.every(Number.isNaN)),
              losses,
              'rows of the gradient that are NaN',
            );
          }
        }),
    },
    {
      name: 'WebGL 1 by the composite kernels',
      run: async () => {
        const factory = tf.findBackendFactory('webgl');
        const restart = async (version?: number) => {
          tf.removeBackend('webgl');
          tf.env().reset();
          if (version) tf.env().set('WEBGL_VERSION', version);
          tf.registerBackend('webgl', factory, 2);
          await tf.setBackend('webgl');
        };
        await restart(1);
        try {
          await agree(() => {
            const x = tf.tensor2d(random([5, 7], 1), [5, 7]);
            const target = tf.tensor1d([3, -100, 6, 0, 2], 'int32');
            const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => crossEntropy(x, target))(x);
            return [value, grad, nllLoss(x, target), softmax(x, 0), logSoftmax(x, 1)];
          });
        } finally {
          await restart();
        }
      },
    },
    {
      name: 'another name of a WebGL backend gets the shaders too',
      run: async () => {
        const ours = ['NLLLoss', 'CrossEntropy', 'LogSoftmaxDim', 'SoftmaxDim'];
        const shared = tf.backend();
        tf.registerBackend('another-webgl', () => shared);
        for (const config of tf.getKernelsForBackend('webgl')) {
          if (ours.some((name) => config.kernelName.startsWith(name))) continue;
          tf.registerKernel({ ...config, backendName: 'another-webgl', setupFunc: undefined });
        }
        await tf.setBackend('another-webgl');
        const x = tf.tensor2d(random([3, 4], 1), [3, 4]);
        const { programs } = count(() => softmax(x, 1));
        await tf.setBackend('webgl');
        assertEqual(programs, 3, 'programs: the upload, and two'); // the composite takes 7
      },
    },
  ];
}

async function withFlag(flag: string, value: number | boolean, f: () => unknown): Promise<void> {
  const before = tf.env().get(flag);
  tf.env().set(flag, value);
  try {
    await f();
  } finally {
    tf.env().set(flag, before);
  }
}
