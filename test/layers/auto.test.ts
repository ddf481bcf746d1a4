import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, NLLLoss } from 'tfjs-cross-entropy';
import { topKAccuracy } from 'tfjs-cross-entropy/layers';
import { artifacts } from '../support/artifacts';

const dense = () => tf.layers.dense({ units: 3, inputShape: [2] });

function functional(): tf.LayersModel {
  const input = tf.input({ shape: [2] });
  return tf.model({ inputs: input, outputs: dense().apply(input) as tf.SymbolicTensor });
}

const MODELS = { sequential: () => tf.sequential({ layers: [dense()] }), functional };

beforeAll(() => tf.setBackend('cpu'));

/** What users write. */
const args = () => ({ optimizer: 'sgd', loss: new CrossEntropyLoss(), metrics: ['accuracy'] });

test('without it a criterion is an error that says what to write', () => {
  for (const make of Object.values(MODELS)) expect(() => make().compile(args())).toThrow('compileWithLoss(model');
});

describe('after the import', () => {
  beforeAll(() => import('tfjs-cross-entropy/layers/auto'));

  test.each(Object.entries(MODELS))('plain compile takes a criterion, fit class indices: %s', async (_, make) => {
    const model = make();
    model.compile(args());
    const x = tf.ones([3, 2]);
    const y = tf.tensor1d([0, 1, -100], 'int32');
    const { history } = await model.fit(x, y, { verbose: 0, validationData: [x, y] });
    expect(Object.keys(history)).toEqual(['val_loss', 'val_acc', 'loss', 'acc']);
    expect(history.acc[0]).toBeLessThanOrEqual(0.5 + 1e-6);
    await artifacts(model);
  });

  const softmax = () => tf.layers.dense({ units: 3, activation: 'softmax', inputShape: [2] });
  const names = { optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' };

  test("Layers' own names: what people have, unchanged, is exact", async () => {
    const model = tf.sequential({ layers: [softmax()] });
    model.setWeights([tf.zeros([2, 3]), tf.tensor1d([200, 0, 0])]);
    model.compile({ ...names, metrics: ['accuracy'] });
    for (const dtype of ['int32', 'float32'] as const) {
      const [loss, accuracy] = model.evaluate(tf.ones([2, 2]), tf.tensor1d([0, 1], dtype)) as tf.Scalar[];
      expect([loss.dataSync()[0], accuracy.dataSync()[0]]).toEqual([100, 0.5]);
    }
  });

  test.each([[['accuracy']], [{ name: 'accuracy' }], ['accuracy'], [undefined]])(
    'saved with the optimizer and loaded, it is trained on logits again: metrics %j',
    async (metrics) => {
      const layer = softmax();
      const given = typeof metrics === 'object' && 'name' in metrics ? { [layer.name]: 'accuracy' } : metrics;
      const model = tf.sequential({ layers: [layer] });
      model.compile({ ...names, metrics: given as string });
      const saved = await artifacts(model);
      expect(saved.trainingConfig!.loss).toBe('sparse_categorical_crossentropy');
      const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved));
      loaded.setWeights([tf.zeros([2, 3]), tf.tensor1d([200, 0, 0])]);
      const results = [loaded.evaluate(tf.ones([2, 2]), tf.tensor1d([0, 1], 'int32'))].flat();
      expect(results.map((x) => x.dataSync()[0])).toEqual(metrics ? [100, 0.5] : [100]);
    },
  );

  test('metrics that Layers cannot load by name are left out of what is saved', async () => {
    const model = tf.sequential({ layers: [softmax()] });
    model.compile({ ...names, metrics: ['accuracy', 'perplexity', topKAccuracy(2)] });
    expect(model.metricsNames).toEqual(['loss', 'acc', 'perplexity', 'top2Accuracy']);
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(await artifacts(model)));
    expect(loaded.metricsNames).toEqual(['loss', 'acc']);
  });

  test('a metric of criteria for an output without one', () => {
    const model = tf.sequential({ layers: [dense()] });
    const compile = () => model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['perplexity'] });
    expect(compile).toThrow("The metric 'perplexity' is for outputs that a criterion trains");
  });

  test('other models are compiled as ever', async () => {
    const model = tf.sequential({ layers: [dense()] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['accuracy'] });
    expect(model.loss).toBe('meanSquaredError');
    expect(() => model.evaluate(tf.ones([3, 2]), tf.ones([3]))).toThrow('target expected a batch of elements');
  });

  test('warns of a layer as compileWithLoss does', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation();
    const model = tf.sequential({ layers: [dense()] });
    model.compile({ optimizer: 'sgd', loss: new NLLLoss() });
    expect(warn.mock.calls).toEqual([[expect.stringContaining(model.layers[0].name)]]);
    warn.mockRestore();
  });
});

test('says so when tfjs-layers is not there yet', () => {
  jest.isolateModules(() => {
    expect(() => require('tfjs-cross-entropy/layers/auto')).toThrow('Import @tensorflow/tfjs');
  });
});
