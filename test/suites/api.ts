import * as tf from '@tensorflow/tfjs';
import {
  type ClassWeight,
  CrossEntropyLoss,
  crossEntropy,
  LogSoftmax,
  logSoftmax,
  NLLLoss,
  nllLoss,
  Softmax,
  softmax,
} from 'tfjs-cross-entropy';
import type { Check } from '../support/check';
import { assertClose, assertEqual, assertThrows, withoutLeaks } from '../support/tensors';

/** The classes and functions as users meet them: options, lifetimes, and what bad input is told. */
export function apiSuite(_backend: string): Check[] {
  const logits = () => tf.tensor2d([2, 1, 0, 0.5, -1, 3, 1, 1, 1], [3, 3]);
  const labels = () => tf.tensor1d([0, 2, 1], 'int32');
  const check = (name: string, run: () => void | Promise<void>): Check => ({ name, run: () => withoutLeaks(run) });
  const same = async (got: tf.Tensor, want: tf.Tensor, what: string) => {
    assertEqual(got.shape, want.shape, `shape of ${what}`);
    assertClose(await got.data(), await want.data(), 1e-6, what);
  };

  return [
    check('the classes are the functions with their options bound', async () => {
      const options = { weight: [1, 2, 0.5], ignoreIndex: 1, reduction: 'none', labelSmoothing: 0.1 } as const;
      const { labelSmoothing: _, ...nllOptions } = options;
      const criterion = new CrossEntropyLoss(options);
      await same(criterion.forward(logits(), labels()), crossEntropy(logits(), labels(), options), 'CrossEntropyLoss');
      const logProbs = logSoftmax(logits(), 1);
      const nll = new NLLLoss(nllOptions);
      await same(nll.forward(logProbs, labels()), nllLoss(logProbs, labels(), nllOptions), 'NLLLoss');
      await same(new LogSoftmax(0).forward(logits()), logSoftmax(logits(), 0), 'LogSoftmax');
      await same(new Softmax({ dim: -1 }).forward(logits()), softmax(logits(), 1), 'Softmax');
      criterion.dispose();
      nll.dispose();
    }),

    check('options are readonly fields, with the defaults of PyTorch', () => {
      const { weight, ignoreIndex, reduction, labelSmoothing } = new CrossEntropyLoss();
      assertEqual([weight, ignoreIndex, reduction, labelSmoothing], [null, -100, 'mean', 0], 'defaults');
      const weighted = new NLLLoss({ weight: new Float32Array([1, 2]), ignoreIndex: 0, reduction: 'sum' });
      assertEqual([...weighted.weight!], [1, 2], 'weight');
      assertEqual([weighted.ignoreIndex, weighted.reduction], [0, 'sum'], 'options');
      assertEqual(new Softmax(2).dim, 2, 'dim');
    }),

    check('a configuration survives JSON', async () => {
      const criterion = new CrossEntropyLoss({ weight: [0.1, 2, 1], ignoreIndex: 2, labelSmoothing: 0.2, dim: -1 });
      const copy = CrossEntropyLoss.fromConfig(JSON.parse(JSON.stringify(criterion.getConfig())));
      assertEqual(copy.getConfig(), criterion.getConfig(), 'CrossEntropyLoss');
      await same(copy.forward(logits(), labels()), criterion.forward(logits(), labels()), 'loss');
      copy.dispose();
      criterion.dispose();
      const nll = new NLLLoss({ reduction: 'sum' });
      assertEqual(NLLLoss.fromConfig(nll.getConfig()).getConfig(), nll.getConfig(), 'NLLLoss');
      assertEqual(LogSoftmax.fromConfig(new LogSoftmax(1).getConfig()).dim, 1, 'LogSoftmax');
      assertEqual(Softmax.fromConfig(new Softmax({ dim: 0 }).getConfig()).dim, 0, 'Softmax');
    }),

    check("a criterion's weight outlives tidy, and the tensor it came from", async () => {
      const source = tf.tensor1d([1, 2, 3]);
      const criterion = new CrossEntropyLoss({ weight: source });
      const first = tf.tidy(() => criterion.forward(logits(), labels()));
      source.dispose();
      await same(criterion.forward(logits(), labels()), first, 'second use');
      criterion.dispose();
      criterion.dispose();
      assertThrows(() => criterion.forward(logits(), labels()), 'CrossEntropyLoss is disposed');
    }),

    check('weights may be numbers, typed or a tensor, and only the labels of live rows use them', async () => {
      const want = crossEntropy(logits(), labels(), { weight: [1, 2, 3] });
      const weights: ClassWeight[] = [new Float32Array([1, 2, 3]), tf.tensor1d([1, 2, 3])];
      for (const weight of weights) await same(crossEntropy(logits(), labels(), { weight }), want, 'loss');
      const targets = tf.tensor1d([0, 0, 1], 'int32');
      const unused = crossEntropy(logits(), targets, { weight: [1, 2, Number.POSITIVE_INFINITY] });
      await same(unused, crossEntropy(logits(), targets, { weight: [1, 2, 0] }), 'an unused weight');
    }),

    check('a step leaves nothing but what it returns, and takes nothing away', () => {
      const [x, t] = [logits(), labels()];
      const before = tf.memory().numTensors;
      const losses = [crossEntropy(x, t, { weight: [1, 2, 3], labelSmoothing: 0.1 }), nllLoss(x, t), softmax(x, 0)];
      assertEqual(tf.memory().numTensors - before, losses.length, 'tensors');
      tf.dispose(losses);
      for (let step = 0; step < 20; step++) {
        const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => crossEntropy(x, t, { weight: [1, 2, 3] }))(x);
        tf.dispose([value, grad]);
      }
      assertEqual(tf.memory().numTensors - before, 0, 'tensors after 20 steps');
      assertEqual([x.isDisposed, t.isDisposed], [false, false], 'inputs disposed');
    }),

    check('training by an optimizer lowers the loss', async () => {
      const w = tf.variable(tf.zeros<tf.Rank.R2>([3, 3]));
      const criterion = new CrossEntropyLoss({ labelSmoothing: 0.05, weight: [1, 1, 2] });
      const optimizer = tf.train.sgd(0.5);
      const step = () =>
        optimizer.minimize(() => criterion.forward(tf.matMul(logits(), w), labels()) as tf.Scalar, true)!;
      const [first] = await step().data();
      for (let i = 0; i < 20; i++) step().dispose();
      const [last] = await step().data();
      if (!(last < 0.8 * first)) throw new Error(`the loss went from ${first} to ${last}`);
      tf.dispose([w]);
      criterion.dispose();
      optimizer.dispose();
    }),

    check('any number of dimensions, and any of them for the classes', async () => {
      const shape = [2, 1, 2, 3, 1, 2, 2];
      const x = tf.sin(tf.range(0, 48)).reshape(shape);
      const t = tf.zeros([2, 1, 2, 1, 2, 2], 'int32');
      const flat = tf.sin(tf.range(0, 48)).reshape([4, 3, 4]);
      const want = tf.grad((y: tf.Tensor) => crossEntropy(y, tf.zeros([4, 4], 'int32')))(flat);
      const got = tf.grad((y: tf.Tensor) => crossEntropy(y, t, { dim: 3 }))(x);
      await same(got, want.reshape(shape), 'gradient');
      await same(logSoftmax(x, -4), logSoftmax(flat, 1).reshape(shape), 'log-softmax');
    }),

    check('one-hot labels cast to float32 are probabilities as any', async () => {
      const oneHot = tf.oneHot(labels(), 3).toFloat();
      const byLogits = (t: tf.Tensor) => tf.grad((x: tf.Tensor) => crossEntropy(x, t))(logits());
      await same(byLogits(oneHot), byLogits(labels()), 'gradient');
    }),

    check('third derivatives', async () => {
      // f(x) = log(1 + exp(-x)) for two classes [x, 0]: f''' = p (1 - p) (2p - 1) (-1) with p = 1 / (1 + exp(-x)).
      const t = tf.scalar(0, 'int32');
      const f = (x: tf.Tensor) => crossEntropy(tf.concat([x, tf.zeros([1])]), t);
      const third = tf.grad(tf.grad(tf.grad(f)))(tf.tensor1d([0.5]));
      const p = 1 / (1 + Math.exp(-0.5));
      assertClose(await third.data(), [p * (1 - p) * (1 - 2 * p)], 1e-5, "f'''");
    }),

    check('with probabilities the weight has a gradient', async () => {
      const x = logits();
      const q = tf.softmax(logits());
      const weight = tf.tensor1d([1, 2, 3]);
      const byWeight = tf.grad((w: tf.Tensor) => crossEntropy(x, q, { weight: w as tf.Tensor1D, reduction: 'sum' }))(
        weight,
      );
      const want = tf.neg(tf.sum(tf.mul(q, logSoftmax(x, 1)), 0));
      await same(byWeight, want, 'gradient');
    }),

    {
      // Not checked for leaks: when a gradient function throws, TensorFlow.js abandons what its tape has saved.
      name: 'with indices the weight has no gradient, as in PyTorch',
      run: () => {
        const byWeight = tf.grad((w: tf.Tensor) => crossEntropy(logits(), labels(), { weight: w as tf.Tensor1D }));
        assertThrows(() => byWeight(tf.ones([3])), "is not differentiable with respect to argument 'weight'");
      },
    },

    check('bad input is told what was expected', () => {
      const [x, t] = [logits(), labels()];
      const gone = logits();
      gone.dispose();
      const bad = (f: () => unknown, text: string, type?: ErrorConstructor) => {
        const before = tf.memory().numTensors;
        const error = assertThrows(f, text);
        assertEqual(tf.memory().numTensors - before, 0, `tensors left by "${text}"`);
        if (type) assertEqual(error.name, type.name, `type of "${text}"`);
      };
      bad(() => crossEntropy([[1, 2]] as never, t), 'Expected `input` to be a tf.Tensor, got Array', TypeError);
      bad(() => crossEntropy(x, undefined as never), 'Expected `target` to be a tf.Tensor, got undefined', TypeError);
      bad(() => nllLoss(gone, t), 'Expected `input` to be a live tensor, but it has been disposed');
      bad(() => crossEntropy(x, gone), 'Expected `target` to be a live tensor');
      bad(() => softmax(gone, 0), 'Expected `x` to be a live tensor');
      bad(() => crossEntropy(x, t, { weight: gone as never }), 'Expected `weight` to be a live tensor');
      bad(() => crossEntropy(x, t, { weight: 2 as never }), 'Expected `weight` to be number[]', TypeError);
      bad(() => crossEntropy(x, t, { ignore_index: 1 } as never), 'has no option `ignore_index`', TypeError);
      bad(() => new NLLLoss({ labelSmoothing: 0.1 } as never), 'NLLLoss has no option `labelSmoothing`', TypeError);
      bad(() => new LogSoftmax({ axis: 1 } as never), 'has no option `axis`', TypeError);
      bad(
        () => crossEntropy(x, t, { ignoreIndex: 0.5 }),
        'Expected `ignoreIndex` to be an integer, got 0.5',
        TypeError,
      );
      bad(() => crossEntropy(x, t, { dim: 2 }), 'expected to be in range of [-2, 1], but got 2', RangeError);
      bad(() => crossEntropy(x, t, { dim: 0.5 }), 'Expected `dim` to be an integer', TypeError);
      bad(() => new CrossEntropyLoss({ reduction: 'avg' as never }), 'avg is not a valid value for reduction');
      bad(() => softmax(t, 0), "not implemented for 'int32'", TypeError);
      tf.dispose([x, t]);
    }),
  ];
}
