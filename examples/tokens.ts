/**
 * Tokens with padding: predict the next character of sums such as `3+8=11;`, in lines of unequal length that are padded
 * to one. Padding must count neither in the loss nor in the accuracy.
 *
 *     npx tsx examples/tokens.ts
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { CrossEntropyLoss } from 'tfjs-cross-entropy';
import { compileWithLoss } from 'tfjs-cross-entropy/layers';

const VOCABULARY = '_0123456789+=;'; // _ is padding
const PADDING = 0;
const LENGTH = 32;
const WINDOW = 5; // characters that the model sees
const LINES = 400;
const HELD_OUT = 100;
const EPOCHS = 12;

const lines = writeLines(LINES + HELD_OUT);
const padding = 1 - lines.join('').length / (lines.length * LENGTH);
console.log(`${LINES} lines to learn from, ${HELD_OUT} held out; ${percent(padding)} of the positions are padding`);
console.log(`such as ${lines[0]}\n`);

await tf.setBackend('wasm');
const ids = lines.map((line) => Array.from(line.padEnd(LENGTH, '_'), (character) => VOCABULARY.indexOf(character)));
const y = tf.tensor2d(ids, undefined, 'int32');
const x = tf.tensor3d(ids.map((line) => line.map((_, t) => windowBefore(line, t))));
const [xTrain, xTest] = tf.split(x, [LINES, HELD_OUT]);
const [yTrain, yTest] = tf.split(y, [LINES, HELD_OUT]);

const before = await train('before: padding as a class, one-hot targets', () => {
  const model = network('softmax');
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return { model, encode: (ids) => tf.oneHot(ids, VOCABULARY.length) };
});

const after = await train('after:  padding ignored, targets as they are', () => {
  const model = network();
  const loss = new CrossEntropyLoss({ ignoreIndex: PADDING });
  compileWithLoss(model, { optimizer: tf.train.adam(0.01), loss, metrics: ['accuracy'] });
  return { model, encode: (ids) => ids };
});

console.log(`\ncharacters predicted: ${percent(before)} before, ${percent(after)} after`);

interface Setup {
  readonly model: tf.Sequential;
  readonly encode: (ids: tf.Tensor) => tf.Tensor;
}

/** One hidden layer, at each position, started alike each time. */
function network(activation?: 'softmax'): tf.Sequential {
  const dense = (units: number, seed: number) => ({ units, kernelInitializer: tf.initializers.heNormal({ seed }) });
  const inputShape = [LENGTH, WINDOW * VOCABULARY.length];
  return tf.sequential({
    layers: [
      tf.layers.dense({ ...dense(48, 1), activation: 'relu', inputShape }),
      tf.layers.dense({ ...dense(VOCABULARY.length, 2), activation }),
    ],
  });
}

/** Trains, says what it took, and gives the share of the held-out characters that are predicted. */
async function train(title: string, make: () => Setup): Promise<number> {
  const { model, encode } = make();
  const [targets, heldOut] = [encode(yTrain), encode(yTest)];
  const start = performance.now();
  await model.fit(xTrain, targets, { epochs: EPOCHS, batchSize: 25, shuffle: false, verbose: 0 });
  const seconds = (performance.now() - start) / 1000;
  const [, reported] = (model.evaluate(xTest, heldOut) as tf.Scalar[]).map((value) => value.dataSync()[0]);
  const accuracy = tf.tidy(() => {
    const predicted = tf.argMax(model.predict(xTest) as tf.Tensor, -1);
    const real = tf.notEqual(yTest, PADDING);
    const hits = tf.logicalAnd(tf.equal(predicted, yTest), real);
    return tf.sum(hits).dataSync()[0] / tf.sum(real).dataSync()[0];
  });
  const megabytes = (targets.size * 4) / 1e6;
  console.log(
    `${title}\n  accuracy ${percent(reported)} as reported, ${percent(accuracy)} of the characters, ` +
      `${seconds.toFixed(1)} s, targets of ${megabytes.toFixed(2)} MB`,
  );
  return accuracy;
}

/** Lines of one to four sums; the same ones in each run. */
function writeLines(count: number): string[] {
  let state = 1;
  const below = (limit: number) => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
  const sum = () => {
    const [a, b] = [below(10), below(10)];
    return `${a}+${b}=${a + b};`;
  };
  return Array.from({ length: count }, () => Array.from({ length: 1 + below(4) }, sum).join(''));
}

/** The characters before position `t`, one-hot, one after another. */
function windowBefore(line: number[], t: number): number[] {
  return Array.from({ length: WINDOW }, (_, i) => line[t - 1 - i] ?? PADDING).flatMap((id) =>
    Array.from(VOCABULARY, (_, v) => Number(v === id)),
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
