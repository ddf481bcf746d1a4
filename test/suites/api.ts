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
import { type Check, isHost } from '../support/check';
import { assertClose, assertEqual, assertThrows, withoutLeaks } from '../support/tensors';

/** The classes and functions as users meet them: options, lifetimes, and what bad input is told. */
export function apiSuite(backend: string): Check[] {
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

    check('weights that are not finite survive JSON, and no other strings pass for numbers', () => {
      const weight = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5];
      for (const Criterion of [CrossEntropyLoss, NLLLoss]) {
        const config = JSON.parse(JSON.stringify(new Criterion({ weight }).getConfig()));
        const copy = Criterion.fromConfig(config);
        assertEqual(Array.from(copy.weight!, String), weight.map(String), 'weight');
        const words = { weight: ['one', 2, 3] } as never;
        assertThrows(() => Criterion.fromConfig(words), '`weight` must hold numbers, got string at index 0');
      }
    }),

    check('fromConfig of a subclass makes the subclass', () => {
      class Mine extends CrossEntropyLoss<'sum'> {
        readonly mine = true;
      }
      class MySoftmax extends Softmax {
        readonly mine = true;
      }
      const criterion: Mine = Mine.fromConfig({ reduction: 'sum' });
      const module: MySoftmax = MySoftmax.fromConfig({ dim: 1 });
      assertEqual(
        [criterion.mine, criterion.reduction, criterion instanceof CrossEntropyLoss],
        [true, 'sum', true],
        '',
      );
      assertEqual([module.mine, module.dim, module instanceof MySoftmax], [true, 1, true], 'Softmax');
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

    check(
      'weights may be numbers, any array of them or a tensor, and only the labels of live rows use them',
      async () => {
        const want = crossEntropy(logits(), labels(), { weight: [1, 2, 3] });
        const arrays = [Float32Array, Float64Array, Int8Array, Int32Array, Uint8Array, Uint8ClampedArray, Uint32Array];
        const weights: ClassWeight[] = [...arrays.map((Numbers) => Numbers.of(1, 2, 3)), tf.tensor1d([1, 2, 3])];
        for (const weight of weights) {
          await same(crossEntropy(logits(), labels(), { weight }), want, 'loss');
          const criterion = new CrossEntropyLoss({ weight });
          await same(criterion.forward(logits(), labels()), want, 'loss of a class');
          criterion.dispose();
        }
        const targets = tf.tensor1d([0, 0, 1], 'int32');
        const unused = crossEntropy(logits(), targets, { weight: [1, 2, Number.POSITIVE_INFINITY] });
        await same(unused, crossEntropy(logits(), targets, { weight: [1, 2, 0] }), 'an unused weight');
      },
    ),

    check('weights that are no numbers are an error, in functions and classes', () => {
      const cases: [unknown, string][] = [
        [[1n, 5n, 9n], '`weight` must hold numbers, got bigint at index 0'],
        [new BigInt64Array([1n, 5n, 9n]), '`weight` must hold numbers, got bigint at index 0'],
        [[1, {}, 9], '`weight` must hold numbers, got Object at index 1'],
        [[1, 2, '3'], '`weight` must hold numbers, got string at index 2'],
        // biome-ignore lint/suspicious/noSparseArray: that is the case
        [[1, , 3], '`weight` must hold numbers, got undefined at index 1'],
        [[1, null, 3], '`weight` must hold numbers, got null at index 1'],
        [[[1], [2], [3]], '`weight` must hold numbers, got Array at index 0'],
        ['', 'Expected `weight` to be an array of numbers or a tf.Tensor, got string'],
        ['123', 'Expected `weight` to be an array of numbers or a tf.Tensor, got string'],
        [new DataView(new ArrayBuffer(24)), 'Expected `weight` to be an array of numbers or a tf.Tensor, got DataView'],
        [{ length: 3 }, 'Expected `weight` to be an array of numbers or a tf.Tensor, got Object'],
      ];
      for (const [weight, text] of cases) {
        const options = { weight: weight as number[] };
        const calls = [
          () => crossEntropy(logits(), labels(), options),
          () => nllLoss(logits(), labels(), options),
          () => new CrossEntropyLoss(options),
          () => new NLLLoss(options),
        ];
        for (const f of calls) assertEqual(assertThrows(f, text).name, 'TypeError', `type of "${text}"`);
      }
    }),

    check("a criterion's weight cannot be changed from outside", async () => {
      const source = Float32Array.of(1, 2, 3);
      const criterion = new CrossEntropyLoss({ weight: source });
      source.fill(7);
      criterion.weight!.fill(8);
      assertEqual([...criterion.weight!], [1, 2, 3], 'weight');
      const tensor = tf.tensor1d([1, 2, 3]);
      const ofTensor = new CrossEntropyLoss({ weight: tensor });
      ofTensor.weight!.fill(8);
      assertEqual([...ofTensor.weight!], [1, 2, 3], 'weight of a tensor');
      await same(ofTensor.forward(logits(), labels()), criterion.forward(logits(), labels()), 'loss');
      criterion.dispose();
      ofTensor.dispose();
      assertEqual([...criterion.weight!, ...ofTensor.weight!], [1, 2, 3, 1, 2, 3], 'weights, read before dispose()');
    }),

    check('a weight tensor is not read unless somebody asks for it', async () => {
      const weight = tf.exp(tf.tensor1d([0, 1, 2]));
      const active = tf.backend();
      const read = active.readSync;
      const reads: object[] = [];
      Object.defineProperty(active, 'readSync', {
        configurable: true,
        writable: true,
        value(this: typeof active, dataId: object) {
          reads.push(dataId);
          return read.call(this, dataId);
        },
      });
      try {
        tf.engine().startScope();
        const criterion = new CrossEntropyLoss({ weight });
        tf.engine().endScope();
        assertEqual(reads.length, 0, 'reads by the constructor');
        const loss = criterion.forward(logits(), labels());
        if (!isHost(backend)) assertEqual(reads.length, 0, 'reads by forward');
        await same(loss, crossEntropy(logits(), labels(), { weight }), 'loss');
        // TensorFlow.js reads WebGPU's buffers at once by way of a canvas, which breaks Chromium's software renderer.
        if (backend !== 'webgpu') assertClose(criterion.weight!, [1, Math.E, Math.E ** 2], 1e-5, 'weight');
        if (backend === 'webgl') assertEqual(reads.length > 0, true, 'read by `weight`');
        criterion.dispose();

        const unread = new NLLLoss({ weight });
        unread.dispose();
        assertThrows(() => unread.weight, 'NLLLoss is disposed');
        assertThrows(() => unread.getConfig(), 'NLLLoss is disposed');
      } finally {
        Reflect.deleteProperty(active, 'readSync');
      }
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
      const step = () => optimizer.minimize(() => criterion.forward(tf.matMul(logits(), w), labels()), true)!;
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

    check('options that are none are told so, by the name of what was called', () => {
      const [x, t] = [logits(), labels()];
      const others = [null, 5, -1, true, 'sum', [], () => {}, Symbol('s'), 1n, new Map(), new Date(0)];
      for (const other of others as never[]) {
        const calls: [string, () => unknown][] = [
          ['crossEntropy', () => crossEntropy(x, t, other)],
          ['nllLoss', () => nllLoss(x, t, other)],
          ['CrossEntropyLoss', () => new CrossEntropyLoss(other)],
          ['NLLLoss', () => new NLLLoss(other)],
          ['CrossEntropyLoss', () => CrossEntropyLoss.fromConfig(other)],
        ];
        for (const [name, f] of calls) {
          const error = assertThrows(f, `Expected the options of ${name} to be an object such as { dim: 1 }, got `);
          assertEqual(error.name, 'TypeError', 'type');
        }
      }
      for (const other of [null, [], new Map()] as never[]) {
        assertThrows(() => new Softmax(other), 'Expected the options of Softmax to be an object');
      }
      for (const other of ['1', true, 1n, Symbol('s'), () => {}, 0.5, Number.NaN] as never[]) {
        assertThrows(() => new LogSoftmax(other), 'Expected `dim` to be an integer, got ');
        assertThrows(() => new CrossEntropyLoss({ dim: other }), 'Expected `dim` to be an integer, got ');
        assertThrows(() => softmax(x, other), 'Expected `dim` to be an integer, got ');
      }
      assertThrows(() => new LogSoftmax({ axis: 1 } as never), 'LogSoftmax has no option `axis`. Its options: dim.');
      for (const name of ['constructor', 'toString', '__proto__']) {
        const options = JSON.parse(`{ "${name}": 1 }`);
        assertThrows(() => crossEntropy(x, t, options), `crossEntropy has no option \`${name}\``);
      }
      assertThrows(() => crossEntropy(x, t, { dim: null as never }), 'Expected `dim` to be an integer, got null');
      for (const labelSmoothing of [null, '0.1', [], true, 1n, Symbol('s')] as never[]) {
        const text = 'labelSmoothing must be between 0.0 and 1.0. Got: ';
        assertThrows(() => crossEntropy(x, t, { labelSmoothing }), text);
        assertThrows(() => new CrossEntropyLoss({ labelSmoothing }), text);
      }
      for (const reduction of [null, Symbol('s'), ['mean'], {}, 'Mean', ''] as never[]) {
        assertThrows(() => nllLoss(x, t, { reduction }), ' is not a valid value for reduction');
        assertThrows(() => new NLLLoss({ reduction }), ' is not a valid value for reduction');
      }
      for (const ignoreIndex of [null, '0', 1n, [], 0.5, Number.NaN] as never[]) {
        assertThrows(() => nllLoss(x, t, { ignoreIndex }), 'Expected `ignoreIndex` to be an integer, got ');
      }
    }),

    check('of options only their own properties count, and undefined is as good as none', async () => {
      const want = crossEntropy(logits(), labels());
      const inherited = Object.create({ reduction: 'sum', ignoreIndex: 0 });
      await same(crossEntropy(logits(), labels(), inherited), want, 'inherited');
      const none = { weight: undefined, ignoreIndex: undefined, reduction: undefined, dim: undefined };
      await same(crossEntropy(logits(), labels(), { ...none, labelSmoothing: undefined }), want, 'undefined');
      await same(new NLLLoss(none).forward(logits(), labels()), nllLoss(logits(), labels()), 'undefined, class');
      await same(crossEntropy(logits(), labels(), Object.create(null)), want, 'no prototype');
      const prototype = Object.prototype as { reduction?: string };
      prototype.reduction = 'sum';
      try {
        assertEqual(
          new CrossEntropyLoss({ ignoreIndex: -1 }).reduction,
          'mean',
          'reduction, with a polluted prototype',
        );
      } finally {
        delete prototype.reduction;
      }
    }),

    check('targets of the wrong kind or shape are told what to write', () => {
      const x = logits();
      const image = tf.zeros([2, 4, 5, 3]);
      const ints = (...shape: number[]) => tf.zeros(shape, 'int32');
      const cases: [() => unknown, ...string[]][] = [
        [() => crossEntropy(x, tf.oneHot(labels(), 3)), 'class probabilities, got int32', 'target.toFloat()'],
        [() => crossEntropy(x, ints(3, 1)), 'multi-target not supported', 'Write target.squeeze([1]).'],
        [() => nllLoss(x, ints(3, 1)), 'multi-target not supported', 'Write target.squeeze([1]).'],
        [() => crossEntropy(tf.zeros([2, 3, 4]), ints(2, 1, 4)), 'Expected target size [2, 4]', 'squeeze([1])'],
        [() => crossEntropy(tf.zeros([3]), ints(1)), '1D target must have size 1', 'Write target.squeeze([0]).'],
        [() => crossEntropy(image, ints(2, 4, 5)), 'size mismatch', 'set `dim: -1`'],
        [() => crossEntropy(tf.zeros([2, 4, 3]), ints(2, 4)), 'Expected target size [2, 3]', 'set `dim: -1`'],
        [() => nllLoss(image, ints(2, 4, 5, 1)), 'only batches of', 'Write target.squeeze([3]). For channels-last set'],
        [() => new CrossEntropyLoss({ dim: -1 }).forward(image, ints(2, 4, 5, 1)), 'squeeze([3]).'],
        // A bound `forward` as a loss of Layers, which has (yTrue, yPred).
        [() => new CrossEntropyLoss().forward(ints(4, 1), tf.zeros([4, 3])), 'Layers takes layersLoss(criterion)'],
        [() => crossEntropy(labels(), x), 'The order is (input, target)'],
        [() => crossEntropy(ints(2, 4, 5), image), 'The order is (input, target)'],
      ];
      for (const [f, ...texts] of cases) for (const text of texts) assertThrows(f, text);
      for (const torn of [new CrossEntropyLoss(), new NLLLoss()].map(({ forward }) => forward)) {
        assertThrows(() => torn(labels(), x), 'Expected `forward` to be called as criterion.forward(input, target)');
      }
      const plain = assertThrows(
        () => crossEntropy(x, ints(2)),
        'Expected input batch_size (3) to match target',
      ).message;
      assertEqual(plain, 'Expected input batch_size (3) to match target batch_size (2).', 'nothing to advise');
      const column = assertThrows(() => crossEntropy(x, ints(3, 1)), '0D or 1D target tensor expected').message;
      const said = 'Got input: [3, 3], target: [3, 1]. Write target.squeeze([1]).';
      assertEqual(column.slice(-said.length), said, 'the end of the advice');
      const last = assertThrows(() => crossEntropy(image, ints(2, 4, 5)), 'size mismatch').message;
      assertEqual(last.split('). ')[1], 'For channels-last set `dim: -1`.', 'advice of the axis alone');
    }),

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
      bad(() => crossEntropy(x, t, { weight: 2 as never }), 'Expected `weight` to be an array of numbers', TypeError);
      bad(() => crossEntropy(x, t, { weight: Object.create(null) }), 'or a tf.Tensor, got object.', TypeError);
      const integers = tf.tensor1d([1, 2, 3], 'int32');
      const column: tf.Tensor = tf.ones([3, 1]);
      const found = 'expected scalar type Float but found int32. Cast `weight`: weight.toFloat().';
      bad(() => crossEntropy(x, t, { weight: integers }), found, TypeError);
      bad(() => new NLLLoss({ weight: integers }), found, TypeError);
      bad(
        () => nllLoss(x, t, { weight: column as tf.Tensor1D }),
        'got weight tensor of shape: [3, 1]. Expected shape [3].',
        Error,
      );
      bad(
        () => crossEntropy(x, t, { ignore_index: 1 } as never),
        'has no option `ignore_index`. Its options: weight, ignoreIndex, reduction, dim, labelSmoothing.',
        TypeError,
      );
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
      bad(() => softmax(t, 0), '"softmax" not implemented for \'int32\'. Cast `x`: x.toFloat().', TypeError);
      bad(() => logSoftmax(t, 0), '"logSoftmax" not implemented for \'int32\'. Cast `x`: x.toFloat().', TypeError);
      tf.dispose([x, t, integers, column]);
    }),
    check('without a dim softmax takes PyTorch’s: 0 of a tensor of rank 0, 1 or 3, else 1', async () => {
      const { warn } = console;
      console.warn = () => {}; // that it is deprecated
      try {
        for (const [rank, dim] of [0, 0, 1, 0, 1, 1].entries()) {
          const x = tf.randomUniform([2, 3, 2, 3, 2].slice(0, rank), -1, 1, 'float32', 5);
          for (const f of [softmax, logSoftmax]) {
            const [implicit, explicit] = [f(x), f(x, dim)];
            assertClose(await implicit.data(), await explicit.data(), 0, `rank ${rank}`);
            tf.dispose([implicit, explicit]);
          }
          x.dispose();
        }
      } finally {
        console.warn = warn;
      }
    }),
  ];
}
