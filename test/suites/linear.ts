import * as tf from '@tensorflow/tfjs';
import {
  crossEntropy,
  crossEntropyWithStats,
  LinearCrossEntropyLoss,
  type LinearCrossEntropyOptions,
  linearCrossEntropy,
  type Reduction,
} from 'tfjs-cross-entropy';
import linear from '../oracle/linear.json';
import { type Check, isHost } from '../support/check';
import type { Case as PlainCase } from '../support/golden';
import { peakBytes } from '../support/peak-bytes';
import { type Problem, solve } from '../support/reference';
import {
  assertClose,
  assertEqual,
  assertThrows,
  numbers,
  onDevice,
  type Packed,
  unpack,
  withoutLeaks,
} from '../support/tensors';

/** A case of the oracle; `make_golden.py` documents the fields. */
type Case = PlainCase & { linearWeight: Packed; linearBias: Packed | null };

const cases = linear.cases as unknown as Case[];

/** PyTorch's numbers and errors, with the chunk sizes that there are. */
function oracle(backend: string): Check[] {
  return cases.map((test) => ({
    name: test.name,
    run: () => withoutLeaks(() => (test.expect.error ? throws(test) : agrees(test, backend))),
  }));
}

function call(test: Case, batchChunkSize?: number) {
  const { linearBias, ignoreIndex, labelSmoothing, reduction, weight, target } = test;
  const tensors = [test.input, test.linearWeight, ...(linearBias ? [linearBias] : [])].map((x) => unpack(x));
  const t = unpack(target!, target!.kind === 'index' ? 'int32' : 'float32');
  const loss = (input: tf.Tensor, linearWeight: tf.Tensor, linearBias?: tf.Tensor) =>
    linearCrossEntropy(input, linearWeight, t, {
      linearBias,
      weight: weight && numbers(weight as (number | string)[]),
      ignoreIndex,
      labelSmoothing,
      reduction: reduction as Reduction,
      batchChunkSize,
    });
  return { tensors, loss };
}

async function agrees(test: Case, backend: string): Promise<void> {
  const base = isHost(backend) ? 1e-6 : 1e-5;
  const { upstream, expect } = test;
  const dy = upstream ? unpack(upstream) : undefined;
  for (const batchChunkSize of [undefined, 2]) {
    const { tensors, loss } = call(test, batchChunkSize);
    const [gradInput, gradLinearWeight, gradLinearBias] = tf.grads(loss)(tensors, dy);
    const got = { value: loss(...(tensors as [tf.Tensor, tf.Tensor])), gradInput, gradLinearWeight, gradLinearBias };
    for (const [name, result] of Object.entries(got)) {
      if (!result) continue;
      const want = (expect as unknown as Record<string, Packed>)[name];
      assertEqual(result.shape, want.shape, `shape of ${name}`);
      const wanted = numbers(want.data);
      const largest = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs));
      const tolerance = base * largest + 4 * expect.f32Err[name].maxAbs;
      assertClose(await result.data(), wanted, tolerance, `${name} in chunks of ${batchChunkSize}`);
    }
  }
}

/** PyTorch's message with our names. */
const ours = (message: string) => message.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

function throws(test: Case): void {
  const { tensors, loss } = call(test);
  const before = tf.memory().numTensors;
  assertThrows(() => loss(...(tensors as [tf.Tensor, tf.Tensor])), ours(test.expect.error!));
  assertEqual(tf.memory().numTensors, before, 'tensors after the error');
}

/** `[rows, D]` times `[C, D]`, with the reference's loss on top, all in float64. */
function reference(problem: Problem & { x: number[]; w: number[]; bias: number[] | null; features: number }) {
  const { x, w, bias, features: D, shape } = problem;
  const [rows, C] = shape;
  const at = (r: number, c: number) => r * C + c;
  const input = Array.from({ length: rows * C }, (_, i) => {
    const [r, c] = [Math.floor(i / C), i % C];
    let sum = bias ? bias[c] : 0;
    for (let d = 0; d < D; d++) sum += x[r * D + d] * w[c * D + d];
    return sum;
  });
  const { value, gradInput: g, gradTarget } = solve({ ...problem, input });
  const byInput = new Array(rows * D).fill(0);
  const byWeight = new Array(C * D).fill(0);
  const byBias = new Array(C).fill(0);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < C; c++) {
      byBias[c] += g[at(r, c)];
      for (let d = 0; d < D; d++) {
        byInput[r * D + d] += g[at(r, c)] * w[c * D + d];
        byWeight[c * D + d] += g[at(r, c)] * x[r * D + d];
      }
    }
  }
  return { value, byInput, byWeight, byBias, gradTarget };
}

/** Numbers that look random, and are float32. */
const wave = (size: number, scale = 1, phase = 0) =>
  Array.from({ length: size }, (_, i) => Math.fround(scale * Math.sin(1 + phase + i * (12.9898 + phase))));

const [ROWS, D, C] = [13, 5, 11];
const LABELS = Array.from({ length: ROWS }, (_, r) => (r % 4 === 1 ? -100 : (r * 7) % C));
const PROBABILITIES = wave(ROWS * C, 1, 3).map((v) => Math.fround(v * v));
const X = wave(ROWS * D, 2);
const W = wave(C * D, 1, 1);
const BIAS = wave(C, 1, 2);
/** What stays the same of the problems that the reference is asked. */
const PROBLEM = { kind: 'crossEntropy' as const, shape: [ROWS, C], dim: 1, input: [], ignoreIndex: -100, bias: BIAS };
const CLASS_WEIGHT = wave(C, 1, 4).map((v) => Math.fround(1 + v / 2));

const close = async (got: tf.Tensor, want: ArrayLike<number>, tolerance: number, what: string) =>
  assertClose(await got.data(), want, tolerance, what);

export function linearSuite(backend: string): Check[] {
  const tolerance = isHost(backend) ? 3e-6 : 3e-5;
  const check = (name: string, run: () => void | Promise<void>): Check => ({ name, run: () => withoutLeaks(run) });
  const x = () => tf.tensor2d(X, [ROWS, D]);
  const w = () => tf.tensor2d(W, [C, D]);
  const labels = () => tf.tensor1d(LABELS, 'int32');
  const probabilities = () => tf.tensor2d(PROBABILITIES, [ROWS, C]);
  const plain = (t: tf.Tensor, options: LinearCrossEntropyOptions) => (x: tf.Tensor, w: tf.Tensor, b?: tf.Tensor) => {
    const { linearBias, batchChunkSize, shift, ...rest } = options;
    const products = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true);
    return crossEntropy(b ? tf.add(products, b) : products, t, rest);
  };

  const sizes = [1, 2, 3, 7, ROWS, undefined].map((batchChunkSize) =>
    check(`in chunks of ${batchChunkSize ?? 'as many rows as it chooses'}: float64's value and gradients`, async () => {
      for (const kind of ['indices', 'probabilities'] as const) {
        for (const reduction of ['mean', 'sum', 'none'] as const) {
          const [labelSmoothing, weight] = reduction === 'sum' ? [0, null] : [0.1, CLASS_WEIGHT];
          const upstream = reduction === 'none' ? wave(ROWS, 1, 5) : [-1.5];
          const want = reference({
            ...PROBLEM,
            target: kind === 'indices' ? { indices: LABELS } : { probabilities: PROBABILITIES },
            weight,
            reduction,
            labelSmoothing,
            upstream,
            x: X,
            w: W,
            features: D,
          });
          const t = kind === 'indices' ? labels() : probabilities();
          const loss = (x: tf.Tensor, w: tf.Tensor, linearBias: tf.Tensor) =>
            linearCrossEntropy(x, w, t, { linearBias, weight, reduction, labelSmoothing, batchChunkSize });
          const tensors = [x(), w(), tf.tensor1d(BIAS)] as const;
          const what = `${kind}, ${reduction}`;
          const largest = Math.max(...want.value.map(Math.abs));
          await close(loss(...tensors), want.value, tolerance * largest, `value of ${what}`);
          const dy = reduction === 'none' ? tf.tensor1d(upstream) : tf.scalar(upstream[0]);
          const [byInput, byWeight, byBias] = tf.grads(loss as never)([...tensors], dy);
          await close(byInput, want.byInput, tolerance, `gradient of ${what} by the input`);
          await close(byWeight, want.byWeight, 3 * tolerance, `gradient of ${what} by the weight`);
          await close(byBias, want.byBias, 3 * tolerance, `gradient of ${what} by the bias`);
          if (kind === 'indices') continue;
          const f = (t: tf.Tensor) =>
            linearCrossEntropy(tensors[0], tensors[1], t, {
              linearBias: tensors[2],
              weight,
              reduction,
              labelSmoothing,
              batchChunkSize,
            });
          await close(tf.grad(f)(t, dy), want.gradTarget, tolerance, `gradient of ${what} by the target`);
        }
      }
    }),
  );

  return [
    ...oracle(backend),
    ...sizes,

    check('a weight tied to an embedding: gradients from both ends', async () => {
      const ids = tf.tensor1d([0, 3, 3, 10, 7, 2], 'int32');
      const oneHot = tf.oneHot(ids, C).toFloat() as tf.Tensor2D; // not every backend has the gradient of gather
      const next = tf.tensor1d([3, 3, 10, 7, -100, 2], 'int32');
      const embedding = tf.variable(w());
      const loss = (project: typeof linearCrossEntropy) => () =>
        project(tf.tanh(tf.matMul(oneHot, embedding as tf.Tensor2D)), embedding, next, { batchChunkSize: 2 });
      const gradient = (f: () => tf.Tensor) => {
        const { value, grads } = tf.variableGrads(f as () => tf.Scalar, [embedding]);
        return [value, grads[embedding.name]];
      };
      const [value, byEmbedding] = gradient(loss(linearCrossEntropy));
      const [wantValue, want] = gradient(
        loss(((x: tf.Tensor, w: tf.Tensor, t: tf.Tensor) => plain(t, {})(x, w)) as never),
      );
      await close(value, await wantValue.data(), tolerance, 'loss');
      await close(byEmbedding, await want.data(), tolerance, 'gradient');
      // Both ends count: with one of them held still it is another one.
      const still = tf.matMul(oneHot, embedding as tf.Tensor2D);
      const [, ofOneEnd] = gradient(() => linearCrossEntropy(tf.tanh(still), embedding, next));
      const difference = await tf.max(tf.abs(tf.sub(ofOneEnd, byEmbedding))).data();
      if (difference[0] < 1e-2) throw new Error(`expected another gradient, got one off by ${difference[0]}`);
      embedding.dispose();
    }),

    check('derivatives of the gradient are those of matMul and crossEntropy', async () => {
      const options: LinearCrossEntropyOptions = { batchChunkSize: 4, labelSmoothing: 0.1 };
      for (const [t, kind] of [
        [labels(), 'indices'],
        [probabilities(), 'probabilities'],
      ] as const) {
        const ways = {
          'made inside': (loss: Loss) => (x: tf.Tensor, w: tf.Tensor) => {
            const [gx, gw] = tf.grads((x: tf.Tensor, w: tf.Tensor) => loss(x, w))([x, w]);
            return tf.add(loss(x, w), tf.add(tf.sum(tf.square(gx)), tf.sum(tf.square(gw))));
          },
          'made earlier': (loss: Loss) => (x: tf.Tensor, w: tf.Tensor) => {
            const l = loss(x, w);
            const g = tf.grad(() => l)(w);
            return tf.add(l, tf.sum(tf.square(g)));
          },
        };
        for (const [way, penalised] of Object.entries(ways)) {
          const ours = penalised((x, w) => linearCrossEntropy(x, w, t, options));
          const want = penalised(plain(t, options));
          const [gx, gw] = tf.grads(ours)([x(), w()]);
          const [wantX, wantW] = tf.grads(want)([x(), w()]);
          await close(gx, await wantX.data(), 5 * tolerance, `${kind}, ${way}, by the input`);
          await close(gw, await wantW.data(), 5 * tolerance, `${kind}, ${way}, by the weight`);
        }
      }
    }),

    check(
      'units of more dimensions: rows left out for all of their targets, and derivatives of the gradient',
      async () => {
        // Of the three positions of a row all, one or none count; a row that does not is left out.
        const t = tf.tensor2d([-100, -100, -100, 1, -100, 0, 2, 1, 0, -100, -100, -100], [4, 3], 'int32');
        const [input, weight] = [tf.tensor2d(X.slice(0, 4 * D), [4, D]), tf.tensor3d(W.slice(0, 9 * D), [3, 3, D])];
        const ofLogits = (t: tf.Tensor, options: LinearCrossEntropyOptions) => (x: tf.Tensor, w: tf.Tensor) => {
          const products = tf.matMul(x as tf.Tensor2D, tf.reshape(w, [9, D]) as tf.Tensor2D, false, true);
          return crossEntropy(tf.reshape(products, [4, 3, 3]), t, options as object);
        };
        const squares = (loss: Loss) => (x: tf.Tensor, w: tf.Tensor) =>
          tf.add(
            ...(tf
              .grads(loss)([x, w])
              .map((g) => tf.sum(tf.square(g))) as [tf.Tensor, tf.Tensor]),
          );
        const q = tf.softmax(tf.tensor3d(wave(36), [4, 3, 3]));
        for (const [target, kind] of [
          [t, 'indices'],
          [q, 'probabilities'],
        ] as const) {
          for (const options of [{}, { reduction: 'sum' }, { batchChunkSize: 1 }] as const) {
            const { batchChunkSize: _, ...rest } = options as LinearCrossEntropyOptions;
            const ours: Loss = (x, w) => linearCrossEntropy(x, w, target, options);
            const what = `${kind}, ${JSON.stringify(options)}`;
            const theirs = ofLogits(target, rest) as Loss;
            await close(ours(input, weight), await theirs(input, weight).data(), 20 * tolerance, `loss of ${what}`);
            for (const [order, f] of [(loss: Loss) => loss, squares].entries()) {
              const got = tf.grads(f(ours))([input, weight]);
              const want = tf.grads(f(theirs))([input, weight]);
              for (const i of [0, 1]) {
                const allowed = 50 * tolerance;
                await close(got[i], await want[i].data(), allowed, `derivative ${order + 1} of ${what} by ${i}`);
              }
            }
          }
        }
        const rows = linearCrossEntropy(input, weight, t, { reduction: 'none', batchChunkSize: 2 });
        const want = ofLogits(t, { reduction: 'none' })(input, weight);
        await close(rows, await want.data(), 5 * tolerance, 'losses of rows');
      },
    ),

    check("without features the logits are the bias: PyTorch's numbers", async () => {
      const [input, weight, bias] = [tf.zeros([2, 0]), tf.zeros([3, 0]), tf.tensor1d([1, 2, 0])];
      const q = tf.tensor2d([1, 0, 0, 0, 0.5, 0.5], [2, 3]);
      const loss = (linearBias: tf.Tensor, target: tf.Tensor) =>
        linearCrossEntropy(input, weight, target, { linearBias });
      const { value, grad } = tf.valueAndGrad((b: tf.Tensor) => loss(b, tf.tensor1d([0, 1], 'int32')))(bias);
      await close(value, [0.9076059644], tolerance, 'of indices');
      await close(grad, [-0.2552715289, 0.1652409558, 0.0900305732], tolerance, 'of indices, by the bias');
      const { value: ofProbabilities, grads } = tf.valueAndGrads(loss)([bias, q]);
      await close(ofProbabilities, [1.4076059644], tolerance, 'of probabilities');
      await close(grads[0], [-0.2552715289, 0.4152409558, -0.1599694268], tolerance, 'of probabilities, by the bias');
      const row = [0.7038029822, 0.2038029822, 1.2038029822];
      await close(grads[1], [...row, ...row], tolerance, 'by the probabilities');
      const byOthers = tf.grads((x: tf.Tensor, w: tf.Tensor) => linearCrossEntropy(x, w, q, { linearBias: bias }));
      assertEqual(
        byOthers([input, weight]).map(({ shape }) => shape),
        [
          [2, 0],
          [3, 0],
        ],
        'shapes of the gradients',
      );
    }),

    check('the mean over labels without weight, smoothed, is NaN, as in PyTorch', async () => {
      const t = tf.tensor1d([0, 0], 'int32');
      const loss = linearCrossEntropy(tf.tensor2d([1, 2, 0, 1], [2, 2]), tf.tensor2d([1, 0, 0, 1, 1, 1], [3, 2]), t, {
        weight: [0, 1, 2],
        labelSmoothing: 0.1,
      });
      await close(loss, [Number.NaN], 0, 'loss');
    }),

    check('an infinite upstream gradient: no finite gradient by the weight, and 0 by ignored rows', async () => {
      if (!isHost(backend)) return; // GPUs need not know Infinity
      // As many classes as rows: the gradient by the weight is as long as the target.
      const [input, weight] = [tf.tensor2d([1, 2, 3, 1], [2, 2]), tf.tensor2d([1, 3, 2, 1], [2, 2])];
      const t = tf.tensor1d([-100, 1], 'int32');
      const loss = (x: tf.Tensor, w: tf.Tensor) => linearCrossEntropy(x, w, t, { reduction: 'sum' });
      const [byInput, byWeight] = tf.grads(loss)([input, weight], tf.scalar(Number.POSITIVE_INFINITY));
      await close(byInput, [0, 0, Number.NaN, Number.NaN], 0, 'by the input');
      assertEqual(Array.from(await byWeight.data(), Number.isFinite), [false, false, false, false], 'by the weight');
    }),

    check('an infinite upstream gradient: 0 by a row of several targets that are all ignored', async () => {
      if (!isHost(backend)) return;
      const t = tf.tensor2d([-100, -100, 0, 1], [2, 2], 'int32');
      const loss = (x: tf.Tensor) => linearCrossEntropy(x, tf.ones([4, 2, 3]), t, { reduction: 'sum' });
      const gradient = tf.grad(loss)(tf.ones([2, 3]), tf.scalar(Number.POSITIVE_INFINITY));
      await close(gradient, [0, 0, 0, Number.NaN, Number.NaN, Number.NaN], 0, 'by the input');
    }),

    check('the gradient by class weights, where there is one', async () => {
      const weight = tf.tensor1d(CLASS_WEIGHT);
      const loss = (weight: tf.Tensor) => linearCrossEntropy(x(), w(), probabilities(), { weight, batchChunkSize: 4 });
      const want = tf.grad((weight: tf.Tensor) => plain(probabilities(), { weight })(x(), w()))(weight);
      await close(tf.grad(loss)(weight), await want.data(), tolerance, 'gradient');
    }),

    {
      name: 'the gradient by class weights is an error where the target holds indices',
      run: () => {
        const ofIndices = (weight: tf.Tensor) => linearCrossEntropy(x(), w(), labels(), { weight });
        const message = "'LinearCrossEntropyLoss' is not differentiable with respect to argument 'weight'";
        assertThrows(() => tf.grad(ofIndices)(tf.tensor1d(CLASS_WEIGHT)), message);
      },
    },

    check('an ignored row harms nothing, whatever the input holds there', async () => {
      const inputs = x().bufferSync();
      LABELS.forEach((t, r) => {
        if (t === -100) for (let d = 0; d < D; d++) inputs.set([Number.NaN, Number.POSITIVE_INFINITY][d % 2], r, d);
      });
      const bad = () => inputs.toTensor() as tf.Tensor;
      const onDevice = () => tf.add(labels(), tf.scalar(0, 'int32')) as tf.Tensor1D; // not known on the host
      for (const batchChunkSize of [undefined, 3]) {
        for (const reduction of ['mean', 'none'] as const) {
          const loss = (t: tf.Tensor) => (x: tf.Tensor, w: tf.Tensor) =>
            linearCrossEntropy(x, w, t, { reduction, batchChunkSize });
          const [wantX, wantW] = tf.grads(loss(labels()))([x(), w()]);
          for (const t of [labels(), onDevice()]) {
            const [gx, gw] = tf.grads(loss(t))([bad(), w()]);
            await close(loss(t)(bad(), w()), await loss(labels())(x(), w()).data(), tolerance, 'value');
            await close(gx, await wantX.data(), tolerance, 'gradient by the input');
            await close(gw, await wantW.data(), tolerance, 'gradient by the weight');
          }
        }
      }
      const twice = (x: tf.Tensor) =>
        tf.grad((w: tf.Tensor) => tf.sum(tf.square(tf.grad((w) => linearCrossEntropy(x, w, labels()))(w))))(w());
      await close(twice(bad()), await twice(x()).data(), tolerance, 'derivative of the gradient');
    }),

    check('all rows ignored: NaN for the mean, 0 else, and gradients of 0', async () => {
      for (const t of [tf.fill([ROWS], -100, 'int32'), tf.add(tf.fill([ROWS], -99, 'int32'), tf.scalar(-1, 'int32'))]) {
        for (const reduction of ['mean', 'sum', 'none'] as const) {
          const loss = (x: tf.Tensor, w: tf.Tensor) => linearCrossEntropy(x, w, t, { reduction, batchChunkSize: 5 });
          const want = { mean: [Number.NaN], sum: [0], none: new Float32Array(ROWS) }[reduction];
          await close(loss(x(), w()), want, 0, reduction);
          const dy = reduction === 'none' ? tf.ones([ROWS]) : undefined;
          const [gx, gw] = tf.grads(loss)([x(), w()], dy);
          await close(gx, new Float32Array(ROWS * D), 0, `gradient of ${reduction} by the input`);
          await close(gw, new Float32Array(C * D), 0, `gradient of ${reduction} by the weight`);
        }
      }
    }),

    check('an upstream of NaN: 0 in ignored rows, and nowhere else', async () => {
      const loss = (x: tf.Tensor) => linearCrossEntropy(x, w(), labels(), { batchChunkSize: 4 });
      const gradient = await tf
        .grad(loss)(x(), tf.scalar(0).div(0) as tf.Scalar)
        .data();
      const want = LABELS.flatMap((t) => new Array(D).fill(t === -100 ? 0 : Number.NaN));
      if (isHost(backend)) assertClose(gradient, want, 0, 'gradient');
    }),

    check('shift: each position predicts the target after it, as slices do', async () => {
      const [N, T] = [2, 6];
      const input = tf.tensor3d(wave(N * T * D, 2), [N, T, D]);
      const ids = Array.from({ length: N * T }, (_, i) => (i % 5 === 3 ? -100 : (i * 5) % C));
      const soft = tf.tensor3d(
        wave(N * T * C, 1, 3).map((v) => v * v),
        [N, T, C],
      );
      for (const shift of [0, 1, 2]) {
        for (const [target, kind] of [
          [tf.tensor2d(ids, [N, T], 'int32'), 'indices'],
          [soft, 'probabilities'],
        ] as const) {
          for (const reduction of ['mean', 'none'] as const) {
            const size = T - shift;
            const sliced = (x: tf.Tensor) => tf.slice(x, [0, 0, 0], [N, size, D]).reshape([N * size, D]);
            const rest = kind === 'indices' ? [] : [C];
            const ahead = tf.slice(target, [0, shift], [N, size]).reshape([N * size, ...rest]);
            const want = (x: tf.Tensor, w: tf.Tensor) => plain(ahead, { reduction })(sliced(x), w);
            const loss = (x: tf.Tensor, w: tf.Tensor) => linearCrossEntropy(x, w, target, { shift, reduction });
            const value = loss(input, w());
            assertEqual(value.shape, reduction === 'none' ? [N, size] : [], 'shape');
            await close(value, await want(input, w()).data(), tolerance, `${kind}, shift ${shift}`);
            const [gx, gw] = tf.grads((x, w) => tf.sum(loss(x, w)))([input, w()]);
            const [wantX, wantW] = tf.grads((x, w) => tf.sum(want(x, w)))([input, w()]);
            await close(gx, await wantX.data(), tolerance, `${kind}, shift ${shift}, gradient by the input`);
            await close(gw, await wantW.data(), 3 * tolerance, `${kind}, shift ${shift}, gradient by the weight`);
          }
        }
      }
      const none = linearCrossEntropy(input, w(), tf.tensor2d(ids, [N, T], 'int32'), { shift: T, reduction: 'sum' });
      await close(none, [0], 0, 'no position is left');
    }),

    check(
      'a target that is no class is an error that names it, before any work; NaN where only a GPU knows it',
      async () => {
        const t = tf.tensor1d([...LABELS.slice(1), C], 'int32');
        const loss = (x: tf.Tensor) => linearCrossEntropy(x, w(), t, { batchChunkSize: 2 });
        assertThrows(() => tf.grad(loss)(x()), `Target ${C} is out of bounds.`);
        if (isHost(backend)) return;
        onDevice(t);
        await close(loss(x()), [Number.NaN], 0, 'loss');
      },
    ),

    check('errors before any work', () => {
      const loss =
        (options: object, t: tf.Tensor = labels()) =>
        () =>
          linearCrossEntropy(x(), w(), t, options);
      assertThrows(loss({ batchChunkSize: 0 }), 'Expected `batchChunkSize` to be a positive integer, got 0.');
      assertThrows(loss({ batchChunkSize: 1.5 }), 'Expected `batchChunkSize` to be a positive integer, got 1.5.');
      assertThrows(loss({ shift: -1 }), 'Expected `shift` to be an integer of 0 or more, got -1.');
      assertThrows(loss({ shift: 1 }), 'Expected `input` to be of shape [N, T, D] where shift is 1');
      assertThrows(loss({ dim: 1 }), 'linearCrossEntropy has no option `dim`');
      assertThrows(loss({ labelSmoothing: 2 }), 'labelSmoothing must be between 0.0 and 1.0');
      assertThrows(loss({}, labels().toFloat()), 'expected target dtype to be int32, but got float32');
      assertThrows(
        loss({}, labels().reshape([ROWS, 1])),
        '0D or 1D target tensor expected, multi-target not supported',
      );
      for (const ignoreIndex of [0, -1]) {
        const message = 'ignoreIndex cannot be specified when target contains probabilities';
        assertThrows(loss({ ignoreIndex }, probabilities()), message);
      }
      assertThrows(loss({ linearBias: tf.zeros([C], 'int32') }), "not implemented for 'int32'");
      assertThrows(() => linearCrossEntropy(x().toInt(), w(), labels()), "not implemented for 'int32'");
      const noTensor = 'to be a tf.Tensor, got 3.';
      assertThrows(() => linearCrossEntropy(3 as never, w(), labels()), `Expected \`input\` ${noTensor}`);
      assertThrows(() => linearCrossEntropy(x(), 3 as never, labels()), `Expected \`linearWeight\` ${noTensor}`);
      assertThrows(() => linearCrossEntropy(x(), w(), 3 as never), `Expected \`target\` ${noTensor}`);
      assertThrows(loss({ linearBias: 3 }), `Expected \`linearBias\` ${noTensor}`);
      const misfit = 'weight tensor should be defined either for all 11 classes';
      assertEqual(assertThrows(loss({ weight: [1, 2] }), misfit).message.startsWith(misfit), true, 'of indices');
      assertThrows(loss({ weight: [1, 2] }, probabilities()), `cross_entropy: ${misfit}`);
      const sequences = tf.zeros([2, 3, D]);
      for (const shape of [
        [2, 4],
        [3, 3],
        [2, 3, C + 1],
      ]) {
        const t = tf.zeros(shape, shape.length === 2 ? 'int32' : 'float32');
        assertThrows(() => linearCrossEntropy(sequences, w(), t), 'expected input with dimensionality 1 or 2, got 3');
      }
      // What fits in all but its rank.
      const t = tf.zeros([2, 3], 'int32');
      const dimensions = 'expected input with dimensionality 1 or 2, got';
      const fitting = 'For an input [N, T, D] linearWeight has to be [C, D], and the target [N, T] or [N, T, C].';
      const ofUnits = assertThrows(() => linearCrossEntropy(sequences, tf.zeros([C, 2, D]), t), dimensions).message;
      assertEqual(ofUnits, `${dimensions} 3. ${fitting}`, 'units of two dimensions');
      const image = assertThrows(() => linearCrossEntropy(tf.zeros([2, 3, 4, D]), w(), t), dimensions).message;
      assertEqual(image, `${dimensions} 4.`, 'an input of four');
    }),

    check('probabilities may be any numbers, also such as are no class', async () => {
      // Both classes have p = 1/2: the loss is 3 log 2 - log 2, its gradient (3 - 1) p - q.
      const [ones, q] = [tf.ones([1, 1]), tf.tensor2d([[3, -1]])];
      const loss = (w: tf.Tensor) => linearCrossEntropy(ones, w, q);
      const { value, grad } = tf.valueAndGrad(loss)(tf.zeros([2, 1]));
      await close(value, [2 * Math.LN2], tolerance, 'value');
      await close(grad, [-2, 2], tolerance, 'gradient');
    }),

    check("the class: PyTorch's initial values, options there and back", async () => {
      const criterion = new LinearCrossEntropyLoss(16, 100, {
        bias: true,
        weight: wave(100),
        ignoreIndex: 7,
        shift: 1,
      });
      const { linearWeight, linearBias } = criterion;
      assertEqual([linearWeight.shape, linearBias!.shape], [[100, 16], [100]], 'shapes');
      for (const variable of [linearWeight, linearBias!]) {
        const values = await variable.data();
        const most = Math.max(...Array.from(values, Math.abs));
        if (!(most <= 0.25 && most > 0.2)) throw new Error(`expected values up to 0.25, got up to ${most}`);
        assertEqual(variable.trainable, true, 'trainable');
      }
      const again = LinearCrossEntropyLoss.fromConfig(JSON.parse(JSON.stringify(criterion.getConfig())));
      assertEqual(again.getConfig(), criterion.getConfig(), 'options');
      assertEqual(again instanceof LinearCrossEntropyLoss, true, 'class');
      const bare = new LinearCrossEntropyLoss(2, 3);
      assertEqual(bare.linearBias, null, 'bias');
      assertEqual(
        bare.getConfig(),
        {
          inFeatures: 2,
          numClasses: 3,
          bias: false,
          weight: null,
          ignoreIndex: -100,
          reduction: 'mean',
          labelSmoothing: 0,
          shift: 0,
        },
        'options',
      );
      const kept = again.linearWeight.clone();
      for (const one of [criterion, again, again, bare]) one.dispose();
      assertEqual((await kept.data()).length, 1600, 'what a clone of a weight that was disposed of twice holds');
      kept.dispose();
      assertThrows(() => bare.forward(tf.zeros([1, 2]), tf.zeros([1], 'int32')), 'is disposed');
      assertThrows(() => new LinearCrossEntropyLoss(0, 3), 'Expected `inFeatures` to be a positive integer, got 0.');
      assertThrows(() => new LinearCrossEntropyLoss(2, 3, { labelSmoothing: -0.1 }), 'labelSmoothing must be');
      assertThrows(() => new LinearCrossEntropyLoss(2, 3, { linearBias: 1 } as never), 'has no option `linearBias`');
      assertThrows(() => new LinearCrossEntropyLoss(2, 3, { bias: 1 } as never), 'Expected `bias` to be true or false');
      assertThrows(() => LinearCrossEntropyLoss.fromConfig(null as never), 'Expected `inFeatures` to be');
      for (const torn of [bare.forward, bare.forwardWithStats]) {
        assertThrows(() => torn(tf.zeros([1, 2]), tf.zeros([1], 'int32')), 'Expected `forward` to be called as');
      }
    }),

    check("of no features the logits are the bias: float64's value and gradients", async () => {
      for (const reduction of ['mean', 'sum', 'none'] as const) {
        const upstream = reduction === 'none' ? wave(ROWS, 1, 5) : [-1.5];
        const want = reference({
          ...PROBLEM,
          target: { indices: LABELS },
          weight: null,
          reduction,
          labelSmoothing: 0.1,
          upstream,
          x: [],
          w: [],
          features: 0,
        });
        const loss = (x: tf.Tensor, w: tf.Tensor, linearBias: tf.Tensor) =>
          linearCrossEntropy(x, w, labels(), { linearBias, reduction, labelSmoothing: 0.1, batchChunkSize: 4 });
        const tensors = [tf.zeros([ROWS, 0]), tf.zeros([C, 0]), tf.tensor1d(BIAS)] as const;
        const largest = Math.max(...want.value.map(Math.abs));
        await close(loss(...tensors), want.value, tolerance * largest, `value, ${reduction}`);
        const dy = reduction === 'none' ? tf.tensor1d(upstream) : tf.scalar(upstream[0]);
        const [byInput, byWeight, byBias] = tf.grads(loss as never)([...tensors], dy);
        await close(byBias, want.byBias, 3 * tolerance, `gradient by the bias, ${reduction}`);
        assertEqual(
          [byInput.shape, byWeight.shape],
          [
            [ROWS, 0],
            [C, 0],
          ],
          'shapes of the others',
        );
      }
    }),

    check('stats: those of crossEntropyWithStats', async () => {
      for (const [t, kind] of [
        [labels(), 'indices'],
        [probabilities(), 'probabilities'],
      ] as const) {
        for (const reduction of ['mean', 'sum', 'none'] as const) {
          const criterion = new LinearCrossEntropyLoss(D, C, { reduction, batchChunkSize: 4 });
          criterion.linearWeight.assign(w());
          const logits = tf.matMul(x(), w(), false, true);
          const want = crossEntropyWithStats(logits, t, { reduction });
          const got = criterion.forwardWithStats(x(), t);
          for (const name of ['loss', 'correct', 'count'] as const) {
            assertEqual(got[name].shape, want[name].shape, `shape of ${name}`);
            await close(got[name], await want[name].data(), 10 * tolerance, `${name} of ${kind}, ${reduction}`);
          }
          const loss = (x: tf.Tensor) => tf.sum(criterion.forwardWithStats(x, t).loss);
          const gradient = tf.grad((x: tf.Tensor) => tf.sum(criterion.forward(x, t)))(x());
          await close(tf.grad(loss)(x()), await gradient.data(), tolerance, `gradient of ${kind}, ${reduction}`);
          criterion.dispose();
        }
      }
    }),

    check('memory: the gradients, one chunk of logits, and little more', async () => {
      const [rows, features, classes, batchChunkSize] = [64, 16, 4000, 8];
      const [input, weight] = [tf.randomNormal([rows, features]), tf.randomNormal([classes, features])];
      const linearBias = tf.randomNormal([classes]);
      const t = tf.tensor1d(
        Int32Array.from({ length: rows }, (_, i) => (i * 97) % classes),
        'int32',
      );
      const step = (loss: (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => tf.Tensor) => () => {
        const { value, grads } = tf.valueAndGrads(loss as never)([input, weight, linearBias]);
        tf.dispose([value, grads]);
      };
      const gradients = 4 * (input.size + weight.size + linearBias.size);
      const chunk = 4 * batchChunkSize * classes;
      const peak = peakBytes(step((x, w, linearBias) => linearCrossEntropy(x, w, t, { linearBias, batchChunkSize })));
      // GPUs write over nothing; on tensorflow there is a block of what is added, here all of it, and a second name of the sum.
      const [chunks, sums] = { webgl: [2, 3], webgpu: [2, 3], tensorflow: [2, 3] }[backend] ?? [1, 1];
      const most = gradients + (sums - 1) * 4 * weight.size + chunks * chunk + 2 * 4 * classes + 4 * 4 * input.size;
      if (peak > most) throw new Error(`expected at most ${most} bytes, got ${peak}`);
      const forward = peakBytes(() => linearCrossEntropy(input, weight, t, { linearBias, batchChunkSize }).dispose());
      if (forward > 2 * chunk + 4 * 4 * input.size + 1024)
        throw new Error(`expected at most two chunks of ${chunk} bytes, got ${forward}`);
      const unchunked = peakBytes(step((x, w, b) => plain(t, {})(x, w, b)));
      if (unchunked < 4 * rows * classes + gradients) throw new Error(`expected more than ${unchunked} bytes`);
    }),

    check('memory: of 512 rows and 50,257 classes, whose logits are 103 MB', async () => {
      if (backend !== 'wasm') return; // the other ways to multiply take much longer, and the small case above tells as much
      const [rows, features, classes] = [512, 256, 50_257];
      const [input, weight] = [tf.randomNormal([rows, features]), tf.randomNormal([classes, features])];
      const [linearBias, t] = [tf.zeros([classes]), tf.zeros([rows], 'int32')];
      const step = tf.valueAndGrads((x, w, linearBias) => linearCrossEntropy(x, w, t, { linearBias }));
      const peak = peakBytes(() => tf.dispose(step([input, weight, linearBias]) as unknown as tf.TensorContainer));
      const gradients = 4 * (input.size + weight.size + linearBias.size);
      const chunk = 4 * 64 * classes;
      const most = gradients + chunk + 2 ** 20;
      if (peak > most) throw new Error(`expected at most ${most} bytes, got ${peak}`);
    }),

    check('minimize trains its variables', async () => {
      const criterion = new LinearCrossEntropyLoss(D, C, { bias: true, batchChunkSize: 4 });
      criterion.linearWeight.assign(w());
      criterion.linearBias!.assign(tf.tensor1d(BIAS));
      const optimizer = tf.train.sgd(0.5);
      const input = x();
      const t = labels();
      const cost = optimizer.minimize(() => criterion.forward(input, t), true)!;
      const { value, grads } = tf.valueAndGrads(plain(t, {}) as never)([input, w(), tf.tensor1d(BIAS)]);
      await close(cost, await value.data(), tolerance, 'loss');
      const stepped = (from: tf.Tensor, gradient: tf.Tensor) => tf.sub(from, tf.mul(gradient, 0.5)).data();
      await close(criterion.linearWeight, await stepped(w(), grads[1]), tolerance, 'weight');
      await close(criterion.linearBias!, await stepped(tf.tensor1d(BIAS), grads[2]), tolerance, 'bias');
      for (let i = 0; i < 3; i++) optimizer.minimize(() => criterion.forward(input, t));
      criterion.dispose();
      optimizer.dispose();
    }),
  ];
}

type Loss = (x: tf.Tensor, w: tf.Tensor) => tf.Tensor;
