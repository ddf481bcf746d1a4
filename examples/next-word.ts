/**
 * A model as people write it today, with and without one import: the next word of a text, from the three before it, by
 * an embedding, a hidden layer and a softmax over the vocabulary, as in TensorFlow.js's own examples.
 *
 *     npx tsx examples/next-word.ts        # on tfjs-node, or on the cpu backend where that is not installed
 *     npx tsx examples/next-word.ts cpu
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { startBackend } from './mnist/backend';

const CONTEXT = 3;
const EXAMPLES = 12_800;
const HELD_OUT = 3_200;

const backend = process.argv[2] === 'cpu' ? 'cpu' : await startBackend('native').catch(() => 'cpu');
tf.enableProdMode();
await tf.setBackend(backend);

const { words, ids } = readText();
const starts = Array.from({ length: EXAMPLES + HELD_OUT }, (_, i) => i);
const x = tf.tensor2d(starts.map((i) => ids.slice(i, i + CONTEXT)));
const y = tf.tensor1d(starts.map((i) => ids[i + CONTEXT]));
console.log(`${backend}: ${EXAMPLES} examples of ${words} words to learn from, ${HELD_OUT} held out\n`);
console.log('| | loss | accuracy | ms a step | peak MB of a step |\n| - | - | - | - | - |');

/** Nothing in here knows of this package. */
function build(): tf.LayersModel {
  const model = tf.sequential();
  model.add(tf.layers.embedding({ inputDim: words, outputDim: 32, inputLength: CONTEXT }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 64, activation: 'relu' }));
  model.add(tf.layers.dense({ units: words, activation: 'softmax' }));
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const weights = build().getWeights(); // the same to start from
await train('as it is');
await import('tfjs-cross-entropy/layers/auto');
await train("after `import 'tfjs-cross-entropy/layers/auto'`");

/** Trains, and says what came of it and what it took. */
async function train(title: string): Promise<void> {
  const model = build();
  model.setWeights(weights);
  const [xTrain, xTest] = tf.split(x, [EXAMPLES, HELD_OUT]);
  const [yTrain, yTest] = tf.split(y, [EXAMPLES, HELD_OUT]);
  const times: number[] = [];
  let start = 0;
  await model.fit(xTrain, yTrain, {
    epochs: 3,
    batchSize: 64,
    shuffle: false,
    verbose: 0,
    callbacks: {
      onBatchBegin: async () => {
        start = performance.now();
      },
      onBatchEnd: async () => void times.push(performance.now() - start),
    },
  });
  const [loss, accuracy] = (model.evaluate(xTest, yTest) as tf.Scalar[]).map((value) => value.dataSync()[0]);
  const [xBatch, yBatch] = [tf.slice(xTrain, 0, 64), tf.slice(yTrain, 0, 64)];
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(async () => void (await model.trainOnBatch(xBatch, yBatch)));
  const milliseconds = times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
  const cells = [loss.toFixed(3), `${(100 * accuracy).toFixed(1)}%`, milliseconds.toFixed(1)];
  console.log(`| ${[title, ...cells, ((peakBytes - before) / 1e6).toFixed(1)].join(' | ')} |`);
}

/** The first words of the comments in TypeScript's own description of a browser; numbers for all words in them. */
function readText(): { words: number; ids: number[] } {
  const source = readFileSync(createRequire(import.meta.url).resolve('typescript/lib/lib.dom.d.ts'), 'utf8');
  const comments = source
    .match(/^ *\*.*/gm)!
    .join(' ')
    .toLowerCase();
  const text = comments.match(/[a-z]+/g)!;
  const idOf = new Map([...new Set(text)].map((word, i) => [word, i]));
  return { words: idOf.size, ids: text.slice(0, EXAMPLES + HELD_OUT + CONTEXT).map((word) => idOf.get(word)!) };
}
