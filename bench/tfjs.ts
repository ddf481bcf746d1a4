import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from 'tfjs-cross-entropy';
import { type Contender, type Mode, OURS } from './contender';
import { isGpu, meterPrograms } from './meter';
import type { Problem } from './problem';

/** The problem on the active backend. One-hot labels are made beforehand, in favour of those who need them. */
interface Tensors {
  readonly logits: tf.Tensor;
  readonly target: tf.Tensor;
  readonly oneHot: tf.Tensor2D;
  /** Class indices as the layers want them: numbers, `[rows, 1]`. */
  readonly labels: tf.Tensor2D;
}

type Loss = (logits: tf.Tensor, tensors: Tensors) => tf.Scalar;

const LOSSES: Record<string, Loss> = {
  [OURS]: (logits, { target }) => crossEntropy(logits, target),
  'tf.losses.softmaxCrossEntropy': (logits, { oneHot }) => tf.losses.softmaxCrossEntropy(oneHot, rows(logits)),
  'logSoftmax x one-hot': (logits, { oneHot }) =>
    tf.neg(tf.mean<tf.Scalar>(tf.sum(tf.mul(tf.logSoftmax(rows(logits)), oneHot), 1))),
  "layers' sparse loss": (logits, { labels }) => tf.mean(layersLoss()(labels, tf.softmax(rows(logits)))),
};

/** What TensorFlow.js offers "today" against us: the faster of the two that do the same. */
export const TODAY = ['tf.losses.softmaxCrossEntropy', 'logSoftmax x one-hot'];

/** Everything that runs on TensorFlow.js, on its active backend. */
export function tfjsContenders({ shape, logits, targets }: Problem): Contender[] {
  const classes = shape[1];
  const tensors = tf.tidy(() => ({
    // Of an operation, as a model's output is, so that it is where the backend keeps its tensors.
    logits: tf.mul(tf.tensor(logits, [...shape]), 1),
    target: tf.tensor(targets, [shape[0], ...shape.slice(2)], 'int32'),
    oneHot: tf.cast(tf.oneHot(tf.tensor1d(targets, 'int32'), classes), 'float32') as tf.Tensor2D,
    labels: tf.tensor2d(Float32Array.from(targets), [targets.length, 1]),
  }));
  let users = Object.keys(LOSSES).length;
  const dispose = () => {
    if (--users === 0) tf.dispose(tensors);
  };
  return Object.entries(LOSSES).map(([name, loss]) =>
    tfjsContender(name, (x) => loss(x, tensors), tensors.logits, dispose),
  );
}

function tfjsContender(
  name: string,
  loss: (logits: tf.Tensor) => tf.Scalar,
  logits: tf.Tensor,
  dispose: () => void,
): Contender {
  const withGradient = tf.valueAndGrad(loss);
  const step = (mode: Mode): { value: tf.Tensor; grad?: tf.Tensor } =>
    tf.tidy(() => (mode === 'forward' ? { value: loss(logits) } : withGradient(logits)));
  const onGpu = isGpu(tf.backend());
  return {
    name,
    async answer() {
      const { value, grad } = step('gradient');
      const [[loss], gradient] = [await value.data(), await grad!.data()];
      tf.dispose([value, grad!]);
      return { loss, gradient };
    },
    async time(mode, steps) {
      const start = performance.now();
      for (let i = 0; i < steps; i++) {
        const { value, grad } = step(mode);
        if (onGpu) await finish(grad ?? value);
        else value.dataSync();
        tf.dispose([value, ...(grad ? [grad] : [])]);
      }
      return (performance.now() - start) / steps;
    },
    async cost(mode) {
      const { numBytes } = tf.memory();
      const { peakBytes, newBytes, result } = await tf.profile(() => Object.values(step(mode)));
      tf.dispose(result);
      const gpu = onGpu ? meterPrograms(tf.backend(), () => tf.dispose(Object.values(step(mode)))) : {};
      // tf.profile looks at the end of each kernel; the results may be there only afterwards.
      return { peakBytes: Math.max(peakBytes - numBytes, newBytes), ...gpu };
    },
    dispose,
  };
}

/** Waits for what was computed last: one element is enough, for a GPU works in order. A reshape might copy it all. */
async function finish(x: tf.Tensor): Promise<void> {
  const first = x.shape.map(() => 0);
  const element = x.rank === 0 ? tf.clone(x) : tf.slice(x, first, [...first].fill(1));
  await element.data();
  element.dispose();
}

/** The class dimension last, and the others as one: what everybody but us needs. */
function rows(logits: tf.Tensor): tf.Tensor2D {
  if (logits.rank === 2) return logits as tf.Tensor2D;
  const [, classes, ...positions] = logits.shape;
  const classesLast = tf.transpose(logits, [0, ...positions.map((_, axis) => axis + 2), 1]);
  return tf.reshape(classesLast, [-1, classes]);
}

let layersLossFunction: ((yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor) | undefined;

/** `loss: 'sparseCategoricalCrossentropy'` as a compiled model has it; it expects probabilities. */
function layersLoss() {
  if (!layersLossFunction) {
    const inputs = tf.input({ shape: [1] });
    const model = tf.model({ inputs, outputs: inputs });
    model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
    layersLossFunction = model.lossFunctions[0];
  }
  return layersLossFunction;
}
