import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from 'tfjs-cross-entropy';
import { type Contender, OURS, OURS_UPSTREAM, TODAY } from './contender';
import { type Problem, solve } from './problem';
import { type TfjsLoss, tfjsContender } from './tfjs-contender';

/** The shape where an upstream gradient other than 1 is timed, too. */
const UPSTREAM_SHAPE = '256x1000';

/** Everything that runs on TensorFlow.js, on its active backend. */
export function tfjsContenders(problem: Problem): Contender[] {
  const { shape, targets } = problem;
  const tensors = tf.tidy(() => ({
    ...problemTensors(problem),
    // One-hot labels are made beforehand, in favour of those who need them.
    oneHot: tf.cast(tf.oneHot(tf.tensor1d(targets, 'int32'), shape[1]), 'float32') as tf.Tensor2D,
    // Class indices as the layers want them: numbers, `[rows, 1]`.
    labels: tf.tensor2d(Float32Array.from(targets), [targets.length, 1]),
  }));
  const { target, oneHot, labels } = tensors;
  const losses: TfjsLoss[] = [
    { name: OURS, loss: (x) => crossEntropy(x, target) },
    { name: TODAY[0], loss: (x) => tf.losses.softmaxCrossEntropy(oneHot, rows(x)) },
    { name: TODAY[1], loss: (x) => tf.neg(tf.mean<tf.Scalar>(tf.sum(tf.mul(tf.logSoftmax(rows(x)), oneHot), 1))) },
    { name: "layers' sparse loss", loss: (x) => tf.mean(layersLoss()(labels, tf.softmax(rows(x)))) },
  ];
  if (shape.join('x') === UPSTREAM_SHAPE) {
    const loss = (x: tf.Tensor) => tf.mul<tf.Scalar>(crossEntropy(x, target), 128);
    losses.push({ name: OURS_UPSTREAM, loss, modes: ['gradient'], factor: 128 });
  }
  let users = losses.length;
  const dispose = () => {
    if (--users === 0) tf.dispose(tensors);
  };
  const want = solve(problem);
  return losses.map((loss) => tfjsContender(loss, tensors.logits, want, dispose));
}

export function problemTensors({ shape, logits, targets }: Problem): { logits: tf.Tensor; target: tf.Tensor } {
  return tf.tidy(() => ({
    // Of an operation, as a model's output is, so that it is where the backend keeps its tensors.
    logits: tf.mul(tf.tensor(logits, [...shape]), 1),
    target: tf.tensor(targets, [shape[0], ...shape.slice(2)], 'int32'),
  }));
}

/** The class dimension last, and the others as one: what everybody but us needs. */
export function rows(logits: tf.Tensor): tf.Tensor2D {
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
