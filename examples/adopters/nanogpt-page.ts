import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import { selectBackend } from 'nanogpt-backend';
import { calculateLoss } from 'nanogpt-loss';
import { crossEntropy } from 'tfjs-cross-entropy';
import { meterPrograms } from '../../bench/meter';
import { median } from './median';

/** A step of its training: 16 sequences of 128 tokens, of 2,000. */
const [BATCH, CONTEXT, VOCABULARY, SAMPLES] = [16, 128, 2000, 7];
/** What it marks a label with that does not count. */
const IGNORED = 65_535;

interface Cost {
  readonly programs: number;
  readonly ms: number;
  readonly megabytes: number;
  /** The largest error of an element of the gradient, against float64, in units of the largest element. */
  readonly error: number;
}

export interface Measured {
  readonly theirs: Cost;
  readonly ours: Cost;
}

/** The gradient of a row's label-smoothed cross-entropy, by definition: softmax minus the smoothed label. */
function gradientOf(logits: Float32Array, label: number, smoothing: number, rows: number): number[] {
  if (label === IGNORED) return Array.from(logits, () => 0);
  const max = Math.max(...logits);
  const exponentials = Array.from(logits, (x) => Math.exp(x - max));
  const sum = exponentials.reduce((total, x) => total + x, 0);
  const target = (c: number) => (c === label ? 1 - smoothing : 0) + smoothing / VOCABULARY;
  return exponentials.map((x, c) => (x / sum - target(c)) / rows);
}

async function measure(backend: string, masked: boolean, smoothing: number): Promise<Measured> {
  await selectBackend(backend);
  const logits = tf.randomNormal([BATCH, CONTEXT, VOCABULARY], 0, 3, 'float32', 1);
  const labels = Array.from({ length: BATCH * CONTEXT }, (_, i) =>
    masked && i % 5 === 0 ? IGNORED : (i * 7919) % VOCABULARY,
  );
  const targets = tf.tensor2d(labels, [BATCH, CONTEXT], 'int32');
  const losses = {
    theirs: (x: tf.Tensor) => calculateLoss(x, targets, masked, false, smoothing) as tf.Scalar,
    ours: (x: tf.Tensor) => crossEntropy(x, targets, { dim: -1, ignoreIndex: IGNORED, labelSmoothing: smoothing }),
  };
  const step = (loss: (x: tf.Tensor) => tf.Scalar) => tf.valueAndGrad(loss)(logits);

  const results: Record<string, { values: Float32Array; gradient: Float32Array; cost: Omit<Cost, 'ms' | 'error'> }> =
    {};
  for (const [name, loss] of Object.entries(losses)) {
    const { value, grad } = step(loss); // compiles
    const [values, gradient] = (await Promise.all([value.data(), grad.data()])) as Float32Array[];
    tf.dispose([value, grad]);
    const { programs, peakGpuBytes } = meterPrograms(tf.backend(), () => tf.tidy(() => void step(loss)));
    results[name] = { values, gradient, cost: { programs, megabytes: peakGpuBytes / 1e6 } };
  }
  const times: Record<string, number[]> = { theirs: [], ours: [] };
  for (let sample = 0; sample < SAMPLES; sample++) {
    for (const [name, loss] of Object.entries(losses)) {
      const start = performance.now();
      const { value, grad } = step(loss);
      // An element of the gradient is there when all of it is.
      const element = tf.slice(grad, [0, 0, 0], [1, 1, 1]);
      await Promise.all([value.data(), element.data()]);
      times[name].push(performance.now() - start);
      tf.dispose([value, grad, element]);
    }
  }
  const { theirs, ours } = results;
  if (!(Math.abs(theirs.values[0] - ours.values[0]) < 1e-3)) {
    throw new Error(`the losses are ${theirs.values[0]} and ${ours.values[0]}`);
  }
  const data = (await logits.data()) as Float32Array;
  const counted = labels.filter((label) => label !== IGNORED).length;
  const errorOf = (gradient: Float32Array) => {
    let [furthest, largest] = [0, 0];
    for (let row = 0; row < 8; row++) {
      const [first, end] = [row * VOCABULARY, (row + 1) * VOCABULARY];
      const right = gradientOf(data.subarray(first, end), labels[row], smoothing, counted);
      for (const [c, want] of right.entries()) {
        furthest = Math.max(furthest, Math.abs(gradient[first + c] - want));
        largest = Math.max(largest, Math.abs(want));
      }
    }
    return furthest / largest;
  };
  return {
    theirs: { ...theirs.cost, ms: median(times.theirs), error: errorOf(theirs.gradient) },
    ours: { ...ours.cost, ms: median(times.ours), error: errorOf(ours.gradient) },
  };
}

Object.assign(globalThis, { measure });
