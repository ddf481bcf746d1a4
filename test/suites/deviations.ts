import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, crossEntropy, linearCrossEntropy, NLLLoss, nllLoss } from 'tfjs-cross-entropy';
import { type Check, isHost } from '../support/check';
import { assertClose, assertEqual, assertThrows, onDevice, withoutLeaks } from '../support/tensors';

/** Where this package differs from PyTorch on purpose; docs/compatibility.md, in its order. */
export function deviationSuite(backend: string): Check[] {
  const check = (name: string, run: () => void | Promise<void>): Check => ({ name, run: () => withoutLeaks(run) });
  const x = () => tf.tensor2d([1, 2, 0, 0, 1, 2], [2, 3]);
  const t = (...labels: number[]) => tf.tensor1d(labels, 'int32');
  const { NEGATIVE_INFINITY: INF, NaN: NAN } = Number;

  return [
    check('1. an ignored row contributes 0 to value and gradient, whatever its logits', async () => {
      for (const row of [
        [INF, INF, INF],
        [-INF, 0, 1],
        [0, NAN, 1],
      ]) {
        const bad = tf.tensor2d([row, [0, 1, 2]]);
        const { value, grad } = tf.valueAndGrad((y: tf.Tensor) => crossEntropy(y, t(-100, 1)))(bad);
        assertClose(await value.data(), [1.4076059], 1e-5, 'value');
        assertClose(await grad.data(), [0, 0, 0, 0.0900306, -0.7552715, 0.665241], 1e-5, 'gradient');
      }
    }),

    check('2. labelSmoothing outside of [0, 1] is a RangeError in the constructor and at the call', () => {
      for (const labelSmoothing of [-0.1, 1.2, NAN]) {
        const text = `labelSmoothing must be between 0.0 and 1.0. Got: ${labelSmoothing}`;
        const errors = [
          assertThrows(() => new CrossEntropyLoss({ labelSmoothing }), text),
          assertThrows(() => crossEntropy(x(), t(0, 1), { labelSmoothing }), text),
        ];
        assertEqual(
          errors.map(({ name }) => name),
          ['RangeError', 'RangeError'],
          'types',
        );
      }
    }),

    check('3. an unbatched input takes a scalar target only', () => {
      const text = 'For 1D input, 1D target must have size 1, but got target size: 1';
      assertThrows(() => crossEntropy(tf.tensor1d([1, 2, 3]), t(2)), text);
      assertThrows(() => nllLoss(tf.tensor1d([1, 2, 3]), t(2)), text);
    }),

    check('4. a term whose coefficient is 0 contributes 0, also where the log-probability is -Infinity', async () => {
      const masked = tf.tensor2d([1, INF, 2], [1, 3]);
      const none = { reduction: 'none' } as const;
      const nothing = crossEntropy(masked, tf.tensor2d([0.5, 0, 0.5], [1, 3]), none);
      assertClose(await nothing.data(), [0.8132617], 1e-5, 'probability 0');
      const unweighted = crossEntropy(masked, t(1), { ...none, weight: [1, 0, 1] });
      assertClose(await unweighted.data(), [0], 0, 'weight 0');
      const smoothed = crossEntropy(masked, t(0), { ...none, weight: [1, 0, 1], labelSmoothing: 0.3 });
      assertClose(
        await smoothed.data(),
        [0.7 * 1.3132617 + 0.1 * (1.3132617 + 0.3132617)],
        1e-5,
        'smoothing, weight 0',
      );
      const infinite = crossEntropy(masked, t(0), { ...none, labelSmoothing: 0.3 });
      assertClose(await infinite.data(), [-INF], 0, 'smoothing');
      assertClose(await nllLoss(masked, t(1), { ...none, weight: [1, 0, 1] }).data(), [0], 0, 'nllLoss');
    }),

    check('5. an index target that is not int32 is a TypeError that says how to cast', () => {
      for (const dtype of ['float32', 'bool'] as const) {
        const target = tf.tensor1d([0, 1], dtype);
        for (const loss of [crossEntropy, nllLoss]) {
          const error = assertThrows(() => loss(x(), target), 'target.toInt()');
          assertEqual(error.name, 'TypeError', 'type');
        }
      }
    }),

    check('6. with probability targets a non-negative ignoreIndex is an error, a negative one unused', async () => {
      const q = tf.softmax(x());
      assertThrows(
        () => crossEntropy(x(), q, { ignoreIndex: 0 }),
        'ignoreIndex is not supported for floating point target',
      );
      const [plain, unused] = [crossEntropy(x(), q), crossEntropy(x(), q, { ignoreIndex: -1 })];
      assertClose(await unused.data(), await plain.data(), 0, 'loss');
    }),

    check('7. a weight that is not [C] is an error at every rank', () => {
      const weight = tf.ones([1, 3]) as never;
      const text = 'got weight tensor of shape: [1, 3]';
      assertThrows(() => crossEntropy(x(), t(0, 1), { weight }), text);
      assertThrows(() => crossEntropy(tf.zeros([1, 3, 2]), tf.zeros([1, 2], 'int32'), { weight }), text);
      assertThrows(() => crossEntropy(tf.zeros([1, 3, 2, 2]), tf.zeros([1, 2, 2], 'int32'), { weight }), text);
      assertThrows(() => new CrossEntropyLoss({ weight }), 'to be of shape [C], got [1, 3]');
    }),

    check('8. the mean over ignored rows alone is NaN, its gradient exactly 0', async () => {
      const f = (y: tf.Tensor) => crossEntropy(y, t(-100, -100), { labelSmoothing: 0.1, weight: [1, 2, 3] });
      const { value, grad } = tf.valueAndGrad(f)(x());
      assertClose(await value.data(), [NAN], 0, 'value');
      assertClose(await grad.data(), [0, 0, 0, 0, 0, 0], 0, 'gradient');
    }),

    check('9. a target that is no class: an error that names it, or NaN where it is known to a GPU alone', async () => {
      const losses = [
        (target = t(0, 3)) => crossEntropy(x(), target, { reduction: 'none' }),
        (target = t(0, -1)) => nllLoss(x(), target, { reduction: 'none' }),
      ];
      for (const [i, loss] of losses.entries()) {
        const error = assertThrows(loss, `Target ${[3, -1][i]} is out of bounds.`);
        assertEqual(error.name, 'RangeError', 'type');
        assertThrows(() => tf.grad((y: tf.Tensor) => tf.mul(y, loss()))(x()), 'is out of bounds.');
      }
      if (isHost(backend)) return;
      for (const [i, loss] of losses.entries()) {
        const [right, wrong] = await loss(onDevice(t(0, [3, -1][i]))).data();
        assertEqual([Number.isFinite(right), Number.isNaN(wrong)], [true, true], 'losses');
      }
    }),

    check('10. ignoreIndex outside of int32 is a RangeError in the constructor and at the call', async () => {
      for (const ignoreIndex of [2 ** 32, 2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER]) {
        const text = `Expected \`ignoreIndex\` to be an int32, got ${ignoreIndex}.`;
        for (const f of [
          () => new CrossEntropyLoss({ ignoreIndex }),
          () => new NLLLoss({ ignoreIndex }),
          () => crossEntropy(x(), t(0, 1), { ignoreIndex }),
          () => nllLoss(x(), t(0, 1), { ignoreIndex }),
        ]) {
          assertEqual(assertThrows(f, text).name, 'RangeError', 'type');
        }
      }
      for (const ignoreIndex of [2 ** 31 - 1, -(2 ** 31)]) {
        const rows = crossEntropy(x(), t(0, ignoreIndex), { ignoreIndex, reduction: 'none' });
        assertClose(await rows.data(), [1.4076059, 0], 1e-5, `ignoreIndex ${ignoreIndex}`);
      }
    }),

    check('14. over class weights that add up to 0 a smoothed mean is infinite or NaN', async () => {
      const input = tf.tensor2d([1, 2, 0, 0, 3, 2], [2, 3]);
      const options = { weight: [1, -1, 1], labelSmoothing: 0.1 };
      const losses = [
        crossEntropy(input, t(0, 1), options),
        linearCrossEntropy(input, tf.eye(3), t(0, 1), options) as tf.Scalar,
      ];
      const values = await Promise.all(losses.map((loss) => loss.data()));
      const isGpu = backend === 'webgl' || backend === 'webgpu';
      assertEqual(
        values.map(([value]) => value),
        [isGpu ? NAN : -INF, NAN],
        'crossEntropy, linearCrossEntropy',
      );
    }),
  ];
}
