import * as tf from '@tensorflow/tfjs';
import { crossEntropy, logSoftmax, nllLoss, type Reduction, softmax } from 'tfjs-cross-entropy';
import type { Check } from '../support/check';
import { type Problem, solve } from '../support/reference';
import { assertClose, withoutLeaks } from '../support/tensors';

/** A loss made on one backend, and its gradient on another: any gradient kernel goes on from any row record. */
export function acrossSuite(backend: string): Check[] {
  return [
    ...argumentsFromElsewhere(backend),
    ...problems().map(({ name, ...problem }) => ({
      name: `the gradient on every other backend: ${name}`,
      run: () =>
        withoutLeaks(async () => {
          const others = BACKENDS.filter((other) => other !== backend && tf.findBackendFactory(other));
          if (others.length === 0) throw new Error('there is no other backend');
          const { gradInput } = solve(problem);
          for (const other of others) {
            await startAndReturn(other, backend);
            const run = () => {
              try {
                return gradientOn(other, problem);
              } finally {
                tf.setBackend(backend);
              }
            };
            const gradient = backend === 'webgpu' ? await rehearsed(run) : run();
            const largest = Math.max(...gradInput.map(Math.abs));
            assertClose(await gradient.data(), gradInput, 1e-5 * largest, `gradient on ${other}`);
          }
        }),
    })),
  ];
}

/** Tensors made on one backend, and used on another: every argument of every function. */
function argumentsFromElsewhere(backend: string): Check[] {
  const x = [1, 2, 0, 0, 1, 3];
  const calls: Record<string, (make: (name: string, f: () => tf.Tensor) => tf.Tensor) => tf.Tensor> = {
    crossEntropy: (make) => {
      const input = make('input', () => tf.tensor(x, [2, 3]));
      const target = make('target', () => tf.tensor1d([1, 2], 'int32'));
      const weight = make('weight', () => tf.tensor1d([1, 2, 3]));
      const dy = make('dy', () => tf.scalar(2));
      return tf.grad((x: tf.Tensor) => crossEntropy(x, target, { weight: weight as tf.Tensor1D }))(input, dy);
    },
    'crossEntropy of probabilities': (make) => {
      const input = make('input', () => tf.tensor(x, [2, 3]));
      const target = make('target', () => tf.tensor([0, 1, 0, 0.5, 0, 0.5], [2, 3]));
      const dy = make('dy', () => tf.tensor1d([2, 3]));
      return tf.grad((x: tf.Tensor) => crossEntropy(x, target, { reduction: 'none' }))(input, dy);
    },
    nllLoss: (make) => {
      const input = make('input', () => tf.tensor(x, [2, 3]));
      const target = make('target', () => tf.tensor1d([1, 2], 'int32'));
      const dy = make('dy', () => tf.scalar(2));
      return tf.grad((x: tf.Tensor) => tf.square(nllLoss(x, target)))(input, dy);
    },
    'softmax, logSoftmax': (make) => {
      const input = make('input', () => tf.tensor(x, [2, 3]));
      const dy = make('dy', () => tf.tensor(x, [2, 3]));
      return tf.grad((x: tf.Tensor) => tf.mul(softmax(x, 0), logSoftmax(x, 1)))(input, dy);
    },
  };
  return Object.entries(calls).map(([name, call]) => ({
    name: `arguments made on every other backend: ${name}`,
    run: () =>
      withoutLeaks(async () => {
        const here = (_: string, f: () => tf.Tensor) => f();
        const want = await call(here).data();
        const names: string[] = [];
        call((name, f) => {
          names.push(name);
          return f();
        });
        for (const other of others(backend)) {
          await startAndReturn(other, backend);
          for (const moved of names) {
            const got = call((name, f) => {
              if (name === moved) tf.setBackend(other);
              const made = f();
              const tensor = name === moved ? tf.maximum(made, made) : made; // an output of that backend
              tf.setBackend(backend);
              return tensor;
            });
            assertClose(await got.data(), want, 1e-5, `${moved} made on ${other}`);
          }
        }
      }),
  }));
}

/** GPUs are left out: what lies there is read synchronously, which Chromium's software WebGPU survives a few times only. */
function others(backend: string): string[] {
  const found = ['cpu', 'wasm', 'tensorflow'].filter((other) => other !== backend && tf.findBackendFactory(other));
  if (found.length === 0) throw new Error('there is no other backend');
  return found;
}

const BACKENDS = ['cpu', 'wasm', 'tensorflow', 'webgl', 'webgpu'];

/** So that it can be switched to at once. */
async function startAndReturn(other: string, backend: string): Promise<void> {
  await tf.setBackend(other);
  await tf.ready();
  await tf.setBackend(backend);
}

/** The parts of TensorFlow.js's WebGPU backend that read. */
interface WebGPU {
  readSync(dataId: object): tf.TypedArray;
  getBufferData(buffer: GPUBufferLike): Promise<ArrayBuffer>;
  readonly tensorMap: { get(dataId: object): { values?: tf.TypedArray; resource: GPUBufferLike; dtype: string } };
}
interface GPUBufferLike {
  readonly size: number;
}

/**
 * Chromium's software WebGPU loses its device after a few synchronous reads. So `f` runs twice: what it reads the first
 * time, when it is given zeros, is at hand the second time.
 */
async function rehearsed(f: () => tf.Tensor): Promise<tf.Tensor> {
  const backend = tf.backend() as unknown as WebGPU;
  const reads: Promise<ArrayBuffer>[] = [];
  let buffers: ArrayBuffer[] | undefined;
  backend.readSync = (dataId) => {
    const { values, resource, dtype } = backend.tensorMap.get(dataId);
    if (values) return values;
    if (!buffers) reads.push(backend.getBufferData(resource));
    const buffer = buffers ? buffers.shift()! : new ArrayBuffer(resource.size);
    return dtype === 'int32' ? new Int32Array(buffer) : new Float32Array(buffer);
  };
  try {
    f().dispose();
    if (reads.length === 0) throw new Error('nothing was read');
    buffers = await Promise.all(reads);
    return f();
  } finally {
    delete (backend as Partial<WebGPU>).readSync; // the prototype's is back
  }
}

function gradientOn(other: string, problem: Problem): tf.Tensor {
  const { kind, shape, dim, input, target, weight, ignoreIndex, reduction, labelSmoothing, upstream } = problem;
  const rows = shape.filter((_, axis) => axis !== dim);
  const ofIndices = 'indices' in target;
  const t = ofIndices ? tf.tensor(target.indices, rows, 'int32') : tf.tensor(target.probabilities, shape);
  const u = reduction === 'none' ? tf.tensor(upstream, rows) : tf.scalar(upstream[0]);
  const options = { weight, reduction, dim, ...(ofIndices && { ignoreIndex }) };
  return tf.grad((x: tf.Tensor) => {
    const loss = kind === 'nllLoss' ? nllLoss(x, t, options) : crossEntropy(x, t, { ...options, labelSmoothing });
    tf.setBackend(other);
    return tf.sum(tf.mul(loss, u));
  })(tf.tensor(input, shape));
}

function problems(): (Problem & { name: string })[] {
  const [shape, dim] = [[2, 5, 3], 1];
  const input = numbers(30, 1);
  const indices = [0, 4, 2, 1, 3, 0];
  const probabilities = numbers(30, 2).map(Math.abs);
  const weight = [0.5, 2, 1, 0, 3];
  const targets: Record<string, Pick<Problem, 'target' | 'weight' | 'labelSmoothing'>> = {
    indices: { target: { indices }, weight: null, labelSmoothing: 0 },
    'indices, weighted': { target: { indices }, weight, labelSmoothing: 0 },
    'indices, weighted, smoothed': { target: { indices }, weight, labelSmoothing: 0.2 },
    probabilities: { target: { probabilities }, weight: null, labelSmoothing: 0 },
    'probabilities, weighted, smoothed': { target: { probabilities }, weight, labelSmoothing: 0.2 },
  };
  return (['crossEntropy', 'nllLoss'] as const).flatMap((kind) =>
    Object.entries(targets)
      .filter(([, { target, labelSmoothing }]) => kind === 'crossEntropy' || ('indices' in target && !labelSmoothing))
      .flatMap(([name, rest]) =>
        (['mean', 'sum', 'none'] as Reduction[]).map((reduction) => ({
          ...{ name: `${kind}, ${name}, ${reduction}`, kind, shape, dim, input, ignoreIndex: 2, reduction, ...rest },
          upstream: reduction === 'none' ? [1, -0.5, 2, 0.25, 3, 0] : [-1.5],
        })),
      ),
  );
}

/** The same numbers everywhere, between -3 and 3. */
function numbers(length: number, seed: number): number[] {
  return Array.from({ length }, (_, i) => Math.fround(3 * Math.sin(12.9898 * (i + 1) * seed)));
}
