import * as tf from '@tensorflow/tfjs';
import { registerGraphOps } from 'tfjs-cross-entropy/graph';
import { serve } from '../support/browser';

test('loads a model over HTTP, and runs it', async () => {
  await tf.setBackend('cpu');
  const folder = 'test/graph';
  const files = Object.fromEntries(
    ['model.json', 'weights.bin'].map((name) => [`/${name}`, { file: `${folder}/${name}` }]),
  );
  const server = await serve(files);
  registerGraphOps(tf);
  const model = await tf.loadGraphModel(`${server.url}/model.json`);
  const feed = { x: tf.ones([1, 2]), labels: tf.tensor1d([2], 'int32') };
  const loss = model.execute(feed, 'sparse_loss') as tf.Tensor;
  expect((await loss.data())[0]).toBeCloseTo(Math.log(Math.exp(2.1) + Math.exp(-1.2) + Math.exp(0.55)) - 0.55, 5);
  await server.close();
});
