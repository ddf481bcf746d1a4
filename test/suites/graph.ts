import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from 'tfjs-cross-entropy';
import { registerGraphOps } from 'tfjs-cross-entropy/graph';
import file from '../graph/model.json';
import { type Check, isHost } from '../support/check';
import { assertClose, assertEqual, assertThrows, onDevice, withoutLeaks } from '../support/tensors';

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
    check(
      'no label is ignored: one that is no class is an error, or NaN in both outputs where a GPU alone knows it',
      async () => {
        const logits = tf.tensor2d([2, 1, 0, 0, 0, 3], [2, 3]);
        for (const [label, named] of [
          [3, 3],
          [-1, -1],
          [-100, -100],
          [-(2 ** 31), -(2 ** 15)],
          [2 ** 31 - 1, 2 ** 31 - 1],
        ]) {
          const labels = tf.tensor1d([label, 2], 'int32');
          assertThrows(() => op('Sparse', logits, labels), `Target ${named} is out of bounds`);
          if (isHost(backend)) continue;
          const [loss, backprop] = op('Sparse', logits, onDevice(labels));
          assertEqual(Array.from(await loss.data(), Number.isNaN), [true, false], `loss of label ${label}`);
          assertEqual(
            Array.from(await backprop.data(), Number.isNaN),
            [true, true, true, false, false, false],
            'backprop',
          );
        }
      },
    ),
    check('one class: zeros, as in TensorFlow', async () => {
      const [loss, backprop] = op('Sparse', tf.tensor2d([3, -1], [2, 1]), tf.tensor1d([0, 0], 'int32'));
      close(await loss.data(), [0, 0], 'loss');
      close(await backprop.data(), [0, 0], 'backprop');
      assertEqual(backprop.shape, [2, 1], 'shape');
    }),
    check('dense logits and labels are broadcast to [N, C]', async () => {
      const x = tf.tensor2d([2, 1, 0, 0, 0, 3], [2, 3]);
      const q = tf.tensor1d([0.2, 0.3, 0.5]);
      // What TensorFlow 2.21 gives.
      const byLabels = [1.7076058, 1.594923];
      const backprops = [0.465241, -0.0552715, -0.4099694, -0.1547215, -0.2547215, 0.409443];
      for (const labels of [q, q.reshape([1, 3])]) {
        const [loss, backprop] = op('', x, labels);
        close(await loss.data(), byLabels, 'loss');
        close(await backprop.data(), backprops, 'backprop');
      }
      close(await op('', q.reshape([1, 3]), x)[0].data(), [3.619493, 2.8194931], 'broadcast logits');
      close(await op('', x, tf.tensor2d([[1], [2]]))[0].data(), [4.2228174, 12.569538], 'one label for all classes');
    }),
    check('what TensorFlow refuses is refused', async () => {
      const [cube, row] = [tf.zeros([2, 3, 4]), tf.zeros([3])];
      assertThrows(() => op('Sparse', cube, tf.zeros([2, 4], 'int32')), 'must be 2-D, [N, C], but got shape [2, 3, 4]');
      assertThrows(() => op('', cube, cube), 'must be 2-D, [N, C], but got shape [2, 3, 4]');
      assertThrows(() => op('', row, row), 'must be 2-D, [N, C], but got shape [3]');
      const words = tf.tensor1d(['0', '1']);
      for (const kind of ['Sparse', ''] as const)
        assertThrows(() => op(kind, tf.zeros([2, 3]), words), 'real numbers, got string');
      assertThrows(() => op('', tf.zeros([2, 3]), tf.zeros([3, 3])), 'could not be broadcast');
      for (const other of [{}, null, undefined, 5, { registerOp: true }]) {
        const error = assertThrows(() => registerGraphOps(other as never), 'Expected `tf` to be TensorFlow.js');
        assertEqual(error.name, 'TypeError', 'type');
      }
    }),
    check('executeAsync leaves its outputs and nothing else', async (model) => {
      const { x, labels, probabilities } = inputs();
      const feeds: Record<string, tf.NamedTensorMap> = { sparse: { x, labels }, dense: { x, probabilities } };
      for (const [op, feed] of Object.entries(feeds)) {
        const before = tf.memory().numTensors;
        const outputs = (await model.executeAsync(feed, [`${op}_loss`, `${op}_backprop`])) as tf.Tensor[];
        assertEqual(tf.memory().numTensors - before, 2, `tensors of ${op}`);
        tf.dispose(outputs);
      }
    }),
  ];
}

/** One of the ops as tfjs-converter calls it. */
function op(kind: 'Sparse' | '', logits: tf.Tensor, labels: tf.Tensor): tf.Tensor[] {
  const ops: Record<string, (node: { inputs: tf.Tensor[] }) => tf.Tensor[]> = {};
  registerGraphOps({ registerOp: (name, f) => Object.assign(ops, { [name]: f }) });
  return ops[`${kind}SoftmaxCrossEntropyWithLogits`]({ inputs: [logits, labels] });
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
