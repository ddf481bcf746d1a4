import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, NLLLoss } from 'tfjs-cross-entropy';

const dense = () => tf.layers.dense({ units: 3, inputShape: [2] });

function functional(): tf.LayersModel {
  const input = tf.input({ shape: [2] });
  return tf.model({ inputs: input, outputs: dense().apply(input) as tf.SymbolicTensor });
}

const MODELS = { sequential: () => tf.sequential({ layers: [dense()] }), functional };

beforeAll(() => tf.setBackend('cpu'));

/** What users write; Layers' types know no criteria. */
const args = () => ({ optimizer: 'sgd', loss: new CrossEntropyLoss() as never, metrics: ['accuracy'] });

test('without it a criterion is an error that says what to write', () => {
  for (const make of Object.values(MODELS)) expect(() => make().compile(args())).toThrow('layersLoss(criterion)');
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
    await model.save(
      tf.io.withSaveHandler(async () => ({
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' },
      })),
      { includeOptimizer: true },
    );
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
    model.compile({ optimizer: 'sgd', loss: new NLLLoss() as never });
    expect(warn.mock.calls).toEqual([[expect.stringContaining(model.layers[0].name)]]);
    warn.mockRestore();
  });
});

test('says so when tfjs-layers is not there yet', () => {
  jest.isolateModules(() => {
    expect(() => require('tfjs-cross-entropy/layers/auto')).toThrow('Import @tensorflow/tfjs');
  });
});
