/**
 * A step of training a model whose loss dominates, a dense layer to 32,000 classes: by hand through `criterion.forward`,
 * and in Layers by `trainOnBatch`, with and without metrics and a softmax. In turns, medians and quartiles.
 *
 *     npm run bench:fit -- cpu wasm tensorflow
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { CrossEntropyLoss } from 'tfjs-cross-entropy';
import { compileWithLoss } from 'tfjs-cross-entropy/layers';

const [EXAMPLES, INPUTS, CLASSES] = [64, 8, 32_000];
const WARM_UP = 4;
const SAMPLES = 15;

tf.enableProdMode();
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : ['cpu', 'wasm', 'tensorflow']) {
  if (name === 'tensorflow') await import('@tensorflow/tfjs-node');
  await tf.setBackend(name);
  console.log(`\n${name}\n\n| a step | ms | quartiles | by hand = 1 |\n| - | - | - | - |`);
  const times = await inTurns(contenders());
  const byHand = quartiles(times[0].samples)[1];
  for (const { title, samples } of times) {
    const [low, median, high] = quartiles(samples);
    const cells = [title, median.toFixed(1), `${low.toFixed(1)} to ${high.toFixed(1)}`, (median / byHand).toFixed(2)];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

interface Contender {
  readonly title: string;
  readonly step: () => Promise<unknown>;
}

function contenders(): Contender[] {
  const x = tf.randomNormal([EXAMPLES, INPUTS]);
  const y = tf.randomUniform([EXAMPLES], 0, CLASSES, 'int32');
  const criterion = new CrossEntropyLoss();
  const build = (activation?: 'softmax') =>
    tf.sequential({ layers: [tf.layers.dense({ units: CLASSES, activation, inputShape: [INPUTS] })] });

  const [dense] = build().layers;
  const optimizer = tf.train.sgd(0.01);
  const byHand = async () => {
    const loss = optimizer.minimize(() => criterion.forward(dense.apply(x) as tf.Tensor, y), true)!;
    await loss.data();
    loss.dispose();
  };

  const inLayers = (metrics: string[], activation?: 'softmax') => {
    const model = build(activation);
    compileWithLoss(model, { optimizer: tf.train.sgd(0.01), loss: criterion, metrics });
    return () => model.trainOnBatch(x, y);
  };

  const own = build('softmax');
  own.compile({ optimizer: tf.train.sgd(0.01), loss: 'sparseCategoricalCrossentropy' });
  const floats = y.toFloat();
  return [
    { title: 'by hand', step: byHand },
    { title: 'trainOnBatch', step: inLayers([]) },
    { title: '... with accuracy', step: inLayers(['accuracy']) },
    { title: '... with perplexity', step: inLayers(['perplexity']) },
    { title: '... of a softmax', step: inLayers([], 'softmax') },
    { title: "Layers' own loss", step: () => own.trainOnBatch(x, floats) },
  ];
}

async function inTurns(contenders: Contender[]): Promise<{ title: string; samples: number[] }[]> {
  const times = contenders.map(({ title }) => ({ title, samples: [] as number[] }));
  for (let turn = 0; turn < WARM_UP + SAMPLES; turn++) {
    for (const [i, { step }] of contenders.entries()) {
      const start = performance.now();
      await step();
      if (turn >= WARM_UP) times[i].samples.push(performance.now() - start);
    }
  }
  return times;
}

function quartiles(samples: number[]): number[] {
  const sorted = [...samples].sort((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
}
