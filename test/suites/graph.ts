import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from 'tfjs-cross-entropy';
import { registerGraphOps } from 'tfjs-cross-entropy/graph';
import file from '../graph/model.json';
import { type Check, isHost } from '../support/check';
import { assertClose, assertEqual, assertThrows, withoutLeaks } from '../support/tensors';

/** TensorFlow's cross-entropy ops in a graph model: `logits = x * kernel + bias`, then both ops. */
export function graphSuite(backend: string): Check[] {
  const close = (got: ArrayLike<number>, want: ArrayLike<number>, what: string) =>
    assertClose(got, want, isHost(backend) ? 1e-6 : 1e-5, what);

  const check = (name: string, run: (model: tf.GraphModel) => Promise<void>): Check => ({
    name,
    async run() {
      registerGraphOps(tf);
      await withoutLeaks(async () => {
        const model = await tf.loadGraphModel(artifacts());
        await run(model);
        model.dispose();
      });
    },
  });

  return [
    check('both outputs of SparseSoftmaxCrossEntropyWithLogits', async (model) => {
      const { x, labels, logits } = inputs();
      const [loss, backprop] = model.execute({ x, labels }, ['sparse_loss', 'sparse_backprop']) as tf.Tensor[];
      close(await loss.data(), await crossEntropy(logits, labels, { reduction: 'none' }).data(), 'loss');
      close(await backprop.data(), await tf.softmax(logits).sub(tf.oneHot(labels, 3)).data(), 'backprop');
    }),
    check('both outputs of SoftmaxCrossEntropyWithLogits', async (model) => {
      const { x, probabilities, logits } = inputs();
      const [loss, backprop] = model.execute({ x, probabilities }, ['dense_loss', 'dense_backprop']) as tf.Tensor[];
      close(await loss.data(), await crossEntropy(logits, probabilities, { reduction: 'none' }).data(), 'loss');
      close(await backprop.data(), await tf.softmax(logits).sub(probabilities).data(), 'backprop');
    }),
    check('gradients go through the model, and are what the second output says', async (model) => {
      const { x, labels, probabilities, kernel } = inputs();
      const targets: Record<string, tf.NamedTensorMap> = { sparse: { labels }, dense: { probabilities } };
      for (const [op, target] of Object.entries(targets)) {
        const f = (x: tf.Tensor) => tf.sum(model.execute({ x, ...target }, `${op}_loss`) as tf.Tensor);
        const backprop = model.execute({ x, ...target }, `${op}_backprop`) as tf.Tensor2D;
        close(await tf.grad(f)(x).data(), await tf.matMul(backprop, kernel, false, true).data(), op);
      }
    }),
    check('no label is ignored', async (model) => {
      const { x } = inputs();
      const labels = tf.tensor1d([0, -100, 2, 1], 'int32');
      const run = () => model.execute({ x, labels }, 'sparse_loss') as tf.Tensor;
      if (isHost(backend)) assertThrows(run, 'Target -100 is out of bounds');
      else assertEqual(Array.from(await run().data(), Number.isNaN), [false, true, false, false], 'NaN');
    }),
  ];
}

const KERNEL = [0.5, -1.25, 0.75, 1.5, 0.25, -0.5];
const BIAS = [0.1, -0.2, 0.3];

function inputs() {
  const x = tf.tensor2d([1, 2, -1, 0.5, 3, -2, 0, 1], [4, 2]);
  const kernel = tf.tensor2d(KERNEL, [2, 3]);
  return {
    x,
    kernel,
    logits: tf.add(tf.matMul(x, kernel), BIAS),
    labels: tf.tensor1d([0, 2, 1, 1], 'int32'),
    probabilities: tf.softmax(tf.tensor2d([1, 0, 2, 0.5, 0.5, 0, 3, 1, 1, 0, 0, 1], [4, 3])),
  };
}

/** The model's file, with what weights.bin holds. */
function artifacts(): tf.io.IOHandler {
  const { modelTopology, weightsManifest } = file;
  const weightSpecs = weightsManifest[0].weights as tf.io.WeightsManifestEntry[];
  return tf.io.fromMemory({ modelTopology, weightSpecs, weightData: Float32Array.of(...KERNEL, ...BIAS).buffer });
}
