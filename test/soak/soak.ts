import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, crossEntropy, logSoftmax, NLLLoss, type Reduction, softmax } from 'tfjs-cross-entropy';

/** What a process, or a page, holds. */
export interface Figures {
  readonly step: number;
  readonly tensors: number;
  readonly buffers: number;
  readonly bytes: number;
  /** Compiled programs or pipelines: TensorFlow.js's with ours. */
  readonly programs: number;
  /** Those of this package. */
  readonly ours: number;
  /** Of the wasm backend, which only grows. */
  readonly wasmMB: number;
  readonly heapMB: number;
}

const SHAPES = [
  [16, 10],
  [3, 1000],
  [2, 5, 7, 3],
  [33, 2],
  [8, 64],
  [2, 3, 11],
  [1, 4097],
  [20, 9],
];
const REDUCTIONS: Reduction[] = ['mean', 'sum', 'none'];

/**
 * A training step: shapes, targets, options and the kind of criterion are others than those of the step before. Every
 * criterion is made anew, with its class weights on the device in every other, and every tenth step is differentiated twice.
 */
export function trainingStep(step: number): void {
  const shape = SHAPES[step % SHAPES.length];
  const [classes, rows] = [shape[1], shape.filter((_, axis) => axis !== 1)];
  tf.tidy(() => {
    const ofIndices = step % 3 !== 0;
    const target = ofIndices
      ? tf.randomUniform(rows, 0, classes, 'int32', step)
      : tf.softmax(tf.randomNormal([...rows, classes], 0, 1, 'float32', step)).reshape(shape);
    const weight = tf.randomUniform<tf.Rank.R1>([classes], 0.5, 2, 'float32', step);
    const options = {
      reduction: REDUCTIONS[step % 3],
      weight: [undefined, weight, weight.dataSync() as Float32Array][
        Math.floor(step / 2) % (tf.getBackend() === 'webgpu' ? 2 : 3)
      ],
      ignoreIndex: ofIndices ? step % 2 : -100,
    };
    const isNLL = ofIndices && step % 5 === 0;
    const criterion = isNLL
      ? new NLLLoss(options)
      : new CrossEntropyLoss({ ...options, labelSmoothing: (step % 4) / 10 });
    const loss = (x: tf.Tensor) => {
      const input = isNLL ? logSoftmax(x, 1) : step % 7 === 0 ? tf.mul(softmax(x, 1), 3) : x;
      return tf.sum(criterion.forward(input, target) as tf.Tensor);
    };
    const x = tf.randomNormal(shape, 0, 3, 'float32', step);
    const variable = tf.variable(x);
    const optimizer = tf.train.sgd(0.1);
    optimizer.minimize(() => loss(variable) as tf.Scalar);
    if (step % 10 === 0) tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.grad(loss)(x))))(x);
    optimizer.dispose();
    variable.dispose();
    criterion.dispose();
  });
}

interface Backend {
  numDataIds(): number;
  readonly binaryCache?: Record<string, { readonly source?: string }>;
  readonly pipelineCache?: Record<string, unknown>;
  readonly wasm?: { readonly HEAPU8: Uint8Array };
}

/** Waits for the device: else commands pile up. */
export async function settle(): Promise<void> {
  const zero = tf.scalar(0);
  await zero.data();
  zero.dispose();
}

/** Waits for the device and for the garbage collector first. */
export async function figures(step: number, heapBytes: () => number): Promise<Figures> {
  await settle();
  tf.disposeVariables();
  const collect = (globalThis as { gc?: () => void }).gc;
  for (let i = 0; i < 3; i++) {
    collect?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const backend = tf.backend() as unknown as Backend;
  const { numTensors: tensors, numBytes: bytes } = tf.memory();
  const programs = Object.keys(backend.binaryCache ?? backend.pipelineCache ?? {});
  const MB = (bytes: number) => Math.round(bytes / 2 ** 18) / 4;
  return {
    step,
    tensors,
    buffers: backend.numDataIds(),
    bytes,
    programs: programs.length,
    ours: programs.filter((key) => /expOf|tag\(/.test(key)).length,
    wasmMB: MB(backend.wasm?.HEAPU8.length ?? 0),
    heapMB: MB(heapBytes()),
  };
}

/** Whether a loss and its gradient are still right. */
export async function isRight(): Promise<boolean> {
  const labels = tf.tensor1d([0], 'int32');
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => crossEntropy(x, labels))(tf.tensor2d([[2, 1, 0]]));
  const [[loss], [gradient]] = await Promise.all([value.data(), grad.data()]);
  tf.dispose([value, grad, labels]);
  return Math.abs(loss - 0.4076059) < 1e-4 && Math.abs(gradient + 0.3347591) < 1e-4;
}

/** Makes the wasm backend's memory grow: views of the heap that were taken before it are detached then. */
export function growWasm(): void {
  const { wasm } = tf.backend() as unknown as Backend;
  if (!wasm) return;
  tf.zeros([wasm.HEAPU8.length / 4 + 2 ** 20]).dispose();
}
