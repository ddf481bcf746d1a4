/**
 * A step of a language model's head, from its features to the loss and all gradients: chunked, by `linearCrossEntropy`, and
 * with all logits at a time, by `crossEntropy` or by `tf.losses` on one-hot labels. In turns; medians and quartiles, and the
 * most bytes that tensors take at a time beyond the inputs.
 *
 *     npm run bench:linear -- wasm tensorflow
 *     npm run bench:linear -- cpu --shape 128x64x8000
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { Command } from 'commander';
import { crossEntropy, linearCrossEntropy } from 'tfjs-cross-entropy';
import { peakBytes } from '../test/support/peak-bytes';
import { figure, MIN_SAMPLES } from './measure';

const WARM_UP = 2;

const command = new Command('npm run bench:linear --')
  .argument('[backends...]', 'cpu, wasm, tensorflow', ['wasm', 'tensorflow'])
  .option('--shape <sizes>', 'rows x features x classes', '512x256x50257')
  .parse();
const backends = command.processedArgs[0] as string[];
const [rows, features, classes] = command.opts<{ shape: string }>().shape.split('x').map(Number);

tf.enableProdMode();
for (const name of backends) {
  if (name === 'tensorflow') await import('@tensorflow/tfjs-node');
  await tf.setBackend(name);
  console.log(`\n${name}, ${rows} rows of ${features} features, ${classes} classes\n`);
  console.log('| a step | ms | quartiles | chunked = 1 | peak MB |\n| - | - | - | - | - |');
  const steps = makeSteps();
  const peaks = steps.map(({ step }) => peakBytes(() => tf.dispose(step())));
  const times = steps.map((): number[] => []);
  for (let turn = 0; turn < WARM_UP + MIN_SAMPLES; turn++) {
    for (const [i, { step }] of steps.entries()) {
      const start = performance.now();
      const { value, grads } = step();
      value.dataSync();
      if (turn >= WARM_UP) times[i].push(performance.now() - start);
      tf.dispose([value, grads]);
    }
  }
  const figures = times.map(figure);
  for (const [i, { median, lower, upper }] of figures.entries()) {
    const spread = `${lower.toFixed(0)} to ${upper.toFixed(0)}`;
    const ratio = (median / figures[0].median).toFixed(2);
    console.log(`| ${steps[i].title} | ${median.toFixed(0)} | ${spread} | ${ratio} | ${(peaks[i] / 1e6).toFixed(1)} |`);
  }
  tf.disposeVariables();
}

function makeSteps() {
  const input = tf.variable(tf.randomNormal([rows, features], 0, 1, 'float32', 1));
  const weight = tf.variable(tf.randomNormal([classes, features], 0, 0.1, 'float32', 2));
  const labels = Int32Array.from({ length: rows }, (_, row) => (row * 7919) % classes);
  const target = tf.tensor1d(labels, 'int32');
  const half = tf.tensor1d(
    labels.map((label, row) => (row % 2 ? label : -100)),
    'int32',
  );
  const oneHot = tf.oneHot(target, classes).toFloat() as tf.Tensor2D;
  const logits = (x: tf.Tensor, w: tf.Tensor) => tf.matMul(x, w, false, true) as tf.Tensor2D;
  const losses: Record<string, (x: tf.Tensor, w: tf.Tensor) => tf.Scalar> = {
    linearCrossEntropy: (x, w) => linearCrossEntropy(x, w, target),
    '..., half of the rows ignored': (x, w) => linearCrossEntropy(x, w, half),
    'crossEntropy of all logits': (x, w) => crossEntropy(logits(x, w), target),
    'tf.losses.softmaxCrossEntropy': (x, w) => tf.losses.softmaxCrossEntropy(oneHot, logits(x, w)),
  };
  return Object.entries(losses).map(([title, loss]) => {
    const withGradients = tf.valueAndGrads(loss as (...args: tf.Tensor[]) => tf.Scalar);
    return { title, step: () => tf.tidy(() => withGradients([input, weight])) };
  });
}
