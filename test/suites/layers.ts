import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, crossEntropy, LogSoftmax, NLLLoss } from 'tfjs-cross-entropy';
import {
  acceptIndexTargets,
  compileWithLoss,
  installInLayers,
  type LayersFunction,
  layersAccuracy,
  layersLoss,
  layersPerplexity,
  loadCriterion,
  storeCriterion,
  topKAccuracy,
} from 'tfjs-cross-entropy/layers';
import { artifacts } from '../support/artifacts';
import { type Check, isHost } from '../support/check';
import { assertClose, assertEqual, assertThrows, withoutLeaks } from '../support/tensors';

/** Criteria in `model.compile`, beside the training runs. */
export function layersSuite(backend: string): Check[] {
  const close: Close = (got, want, what) =>
    assertClose(got, want, (x) => (backend.startsWith('web') ? 1e-5 : 1e-6) * Math.max(1, Math.abs(x)), what);

  const checks: Check[] = [
    {
      name: 'one and the same function for a criterion and axis, named, with nothing enumerable',
      run() {
        const [a, b] = [new CrossEntropyLoss(), new CrossEntropyLoss()];
        assertEqual(layersLoss(a) === layersLoss(a, { axis: -1 }), true, 'same');
        assertEqual(layersLoss(a) === layersLoss(b), false, 'other criterion');
        assertEqual(layersLoss(a) === layersLoss(a, { axis: 1 }), false, 'other axis');
        assertEqual(layersLoss(new CrossEntropyLoss({ dim: 1 })).name, 'loss', 'name');
        assertEqual(Object.keys(layersLoss(a)), [], 'enumerable');
      },
    },
    {
      name: "reduction 'none' and what is no criterion are refused",
      run() {
        assertThrows(() => layersLoss(new CrossEntropyLoss({ reduction: 'none' })), "reduction 'mean' or 'sum'");
        for (const other of ['meanSquaredError', null, undefined, {}, new LogSoftmax(1)] as never[]) {
          const text = 'Expected `criterion` to be a CrossEntropyLoss or an NLLLoss, got ';
          for (const make of [layersLoss, layersAccuracy, layersPerplexity]) assertThrows(() => make(other), text);
          const model = { getUserDefinedMetadata: () => ({}), setUserDefinedMetadata: () => {} };
          if (typeof other !== 'object') assertThrows(() => storeCriterion(model, other), text);
        }
        for (const other of [null, undefined, 5, {}, /has a compile too/] as never[]) {
          const text = 'Expected `model` to be a tf.LayersModel, got ';
          assertThrows(() => acceptIndexTargets(other), text);
          assertThrows(() => storeCriterion(other, new CrossEntropyLoss()), text);
          assertThrows(() => loadCriterion(other), text);
        }
        const criterion = new CrossEntropyLoss();
        const output = tf.zeros([2, 3, 2]);
        const gone = tf.zeros([2, 3]);
        gone.dispose();
        const misfits: [tf.Tensor, tf.Tensor, string][] = [
          [tf.zeros([2, 2], 'int32'), output, 'Expected target size [2, 3], got [2, 2]'],
          [tf.zeros([1, 3], 'int32'), output, 'Expected input batch_size (2) to match target batch_size (1)'],
          [tf.zeros([2, 1], 'int32'), output, 'Expected target size [2, 3], got [2, 1]'],
          [gone, output, 'Expected `yTrue` to be a live tensor'],
          [tf.zeros([2], 'int32'), gone, 'Expected `yPred` to be a live tensor'],
          [[] as never, output, 'Expected `yTrue` to be a tf.Tensor, got Array'],
          [tf.zeros([2], 'int32'), tf.zeros([2, 3], 'int32'), "not implemented for 'int32'"],
          [tf.tensor1d(['0', '1'], 'string'), tf.zeros([2, 3]), 'got string'],
          [tf.scalar(0, 'int32'), tf.zeros([3]), 'Expected `yPred` to be a batch'],
        ];
        for (const make of [layersLoss, layersAccuracy, layersPerplexity]) {
          for (const [yTrue, yPred, text] of misfits) assertThrows(() => make(criterion)(yTrue, yPred), text);
        }
        const stored = (className: unknown) => ({
          getUserDefinedMetadata: () => ({ 'tfjs-cross-entropy': { className, config: {} } }),
          setUserDefinedMetadata: () => {},
        });
        for (const className of ['constructor', 'Dense', null]) {
          assertThrows(() => loadCriterion(stored(className)), "Expected the model's stored criterion to be");
        }
        const args = { optimizer: 'sgd', loss: new CrossEntropyLoss() };
        compileWithLoss(identity([1, 3]).model, { ...args, metrics: null as never });
        for (const other of [undefined, null, 5, [], {}, { loss: args.loss }] as never[]) {
          const text = 'Expected what `compile` is given to be an object such as';
          assertThrows(() => compileWithLoss(identity([1, 3]).model, other), text);
        }
        const metrics = ['constructor'];
        assertThrows(() => compileWithLoss(identity([1, 3]).model, { ...args, metrics }), 'Expected a metric to be');
      },
    },
    {
      name: 'options, numbers and metrics that are none are told so',
      run() {
        const criterion = new CrossEntropyLoss();
        assertThrows(() => layersLoss({ reduction: 'mean' } as never), 'Expected `criterion` to be');
        assertThrows(() => layersLoss(criterion, { axis: 0.5 }), 'Expected `axis` to be an integer, got 0.5.');
        assertThrows(() => layersLoss(criterion, { dim: 1 } as never), 'layersLoss has no option `dim`');
        for (const k of [0, 1.5, '2'] as never[]) {
          assertThrows(() => topKAccuracy(k), 'Expected `k` to be a whole number from 1, got ');
        }
        for (const other of [undefined, {}, { LayersModel: {} }, { LayersModel: { prototype: {} } }] as never[]) {
          const text =
            'Expected `tf` to be TensorFlow.js with Layers, i.e. @tensorflow/tfjs or @tensorflow/tfjs-layers, ';
          assertThrows(() => installInLayers(other), text);
        }
        const model = threeHeads();
        const losses = [criterion, criterion, 'meanSquaredError'];
        assertThrows(
          () => compileWithLoss(model, { optimizer: 'sgd', loss: losses, metrics: ['perplexity'] }),
          'The metric \'perplexity\' is for outputs that a criterion trains, and "number" has another loss. Write metrics:',
        );
        compileWithLoss(model, { optimizer: 'sgd', loss: losses, metrics: { classes: 'accuracy' } });
        assertEqual(
          model.metricsNames,
          ['loss', 'classes_loss', 'tokens_loss', 'number_loss', 'classes_acc'],
          'metrics',
        );
        compileWithLoss(model, { optimizer: 'sgd', loss: [criterion, criterion, criterion], metrics: 'accuracy' });
        assertEqual(model.metricsNames.slice(4), ['classes_acc', 'tokens_acc', 'number_acc'], 'one metric for all');
        const { writable, configurable, enumerable } = Object.getOwnPropertyDescriptor(model, 'compile')!;
        assertEqual([writable, configurable, enumerable], [true, true, false], 'compile');
      },
    },
    {
      name: 'an NLLLoss takes its values as they are, and a metric of another axis its own',
      async run() {
        const values = tf.tensor2d([1, 2, 3, 5], [2, 2]);
        const loss = layersLoss(new NLLLoss())(tf.tensor1d([0, 1], 'int32'), values);
        close([(await tf.mean(loss).data())[0]], [-3], 'the mean of -1 and -5');
        // Of [[0, 3], [1, 2]] the largest are at 1 and 0 along axis 1, and at 1 and 1 along axis 2.
        const model = tf.sequential({ layers: [tf.layers.reshape({ targetShape: [2, 2], inputShape: [4] })] });
        const criterion = new CrossEntropyLoss({ dim: 1 });
        const metrics = [layersAccuracy(criterion), layersAccuracy(criterion, { axis: 2 })];
        compileWithLoss(model, { optimizer: 'sgd', loss: criterion, metrics });
        const x = tf.tensor2d([[0, 3, 1, 2]]);
        for (const [labels, want] of [
          [
            [1, 0],
            [1, 0.5],
          ],
          [
            [1, 1],
            [0.5, 1],
          ],
        ]) {
          const [, ...got] = model.evaluate(x, tf.tensor2d([labels], [1, 2], 'int32')) as tf.Scalar[];
          close(await tf.stack(got).data(), want, 'accuracies');
        }
      },
    },
    {
      name: 'float labels that are no integer of int32 are no class',
      async run() {
        await withoutLeaks(async () => {
          const logits = tf.tensor2d([2, 1, 0, 0, 0, 3], [2, 3]);
          const loss = layersLoss(new CrossEntropyLoss());
          const of = (label: number) => loss(tf.tensor2d([label, 2], [2, 1]), logits);
          close(await of(1).data(), [1.4076059, 0.0949229], 'a right label');
          for (const label of [Number.NaN, -0.5, 2 ** 32, Number.POSITIVE_INFINITY, 1.5, -1]) {
            if (isHost(backend)) assertThrows(() => of(label), 'is out of bounds');
            else assertEqual(Number.isNaN((await tf.mean(of(label)).data())[0]), true, `the loss of label ${label}`);
          }
          const ignoring = layersLoss(new CrossEntropyLoss({ ignoreIndex: -(2 ** 31) }));
          const isolated = () => ignoring(tf.tensor2d([1.5, 2], [2, 1]), logits);
          if (isHost(backend)) assertThrows(isolated, 'is out of bounds');
        });
      },
    },
    {
      name: 'what is made of nothing: no examples, no positions, no classes',
      async run() {
        await withoutLeaks(async () => {
          const criteria = [new CrossEntropyLoss(), new CrossEntropyLoss({ labelSmoothing: 0.1 }), new NLLLoss()];
          for (const [shape, loss] of [
            [[0, 3], []],
            [[0, 2, 3], []],
            [
              [2, 0, 3],
              [0, 0],
            ],
            [
              [2, 0],
              [0, 0],
            ],
          ]) {
            const output = tf.zeros(shape);
            const rows = shape.slice(0, -1);
            const ignored = tf.fill(rows, -100, 'float32');
            for (const labels of [ignored, tf.cast(ignored, 'int32'), tf.reshape(ignored, [...rows, 1])]) {
              for (const criterion of criteria) {
                const what = `of [${shape}], labels [${labels.shape}] of ${labels.dtype}`;
                const of = async (f: LayersFunction) => f(labels, output).data();
                close(await of(layersLoss(criterion)), loss, `loss ${what}`);
                close(await of(layersAccuracy(criterion)), [0], `accuracy ${what}`);
                close(await of(topKAccuracy(2, criterion)), [0], `top 2 ${what}`);
                close(await of(layersPerplexity(criterion)), [1], `perplexity ${what}`);
                const gradient = tf.grad((x) => layersLoss(criterion)(labels, x))(output, tf.zeros(shape.slice(0, 1)));
                assertEqual(gradient.shape, shape, `gradient ${what}`);
              }
            }
            if (shape.at(-1) === 0) continue;
            close(await layersAccuracy(criteria[0])(output, output).data(), [0], `accuracy, probabilities [${shape}]`);
          }
        });
      },
    },
    {
      name: 'the plain mean of the loss vector is the criterion of all rows',
      async run() {
        await withoutLeaks(async () => {
          const logits = tf.randomNormal([3, 5, 4], 0, 3, 'float32', 7);
          const target = tf.tensor2d([0, 3, -100, 1, 2, -100, -100, 1, 0, 2, 3, 3, 0, 1, -100], [3, 5], 'int32');
          for (const reduction of ['mean', 'sum'] as const) {
            const options = { weight: [1, 0.2, 3, 0.7], labelSmoothing: 0.2, reduction };
            const criterion = new CrossEntropyLoss(options);
            const vector = layersLoss(criterion)(target, logits);
            assertEqual(vector.shape, [3], 'shape');
            const want = crossEntropy(logits, target, { ...options, dim: -1 });
            close(await tf.mean(vector).data(), await want.data(), reduction);
            criterion.dispose();
          }
        });
      },
    },
    {
      name: 'class indices of every accepted shape and dtype give one loss',
      async run() {
        const shapes: [number[], number[][]][] = [
          [
            [6, 3],
            [[6], [6, 1]],
          ],
          [
            [2, 3, 3],
            [
              [2, 3],
              [2, 3, 1],
            ],
          ],
          [
            [1, 2, 3, 3],
            [
              [1, 2, 3],
              [1, 2, 3, 1],
            ],
          ],
        ];
        const labels = [0, 2, -100, 1, 1, 2];
        for (const [shape, targets] of shapes) {
          const { model, x } = identity(shape);
          compileWithLoss(model, { optimizer: tf.train.sgd(0), loss: new CrossEntropyLoss({ weight: [1, 2, 3] }) });
          const want = await crossEntropy(x, tf.tensor(labels, targets[0], 'int32'), {
            weight: [1, 2, 3],
            dim: -1,
          }).data();
          for (const target of targets) {
            for (const dtype of ['int32', 'float32'] as const) {
              const y = tf.tensor(labels, target, dtype);
              const what = `${dtype} [${target}] for [${shape}]`;
              close(await (model.evaluate(x, y, { batchSize: 6 }) as tf.Scalar).data(), want, `evaluate, ${what}`);
              const { history } = await model.fit(x, y, { ...QUIET, batchSize: 6, validationData: [x, y] });
              close(history.loss as number[], want, `fit, ${what}`);
              close(history.val_loss as number[], want, `validation, ${what}`);
              close([(await model.trainOnBatch(x, y)) as number], want, `trainOnBatch, ${what}`);
            }
          }
        }
      },
    },
    {
      name: 'one-hot and probability targets, also without acceptIndexTargets',
      async run() {
        const { model, x } = identity([4, 3]);
        model.compile({ optimizer: 'sgd', loss: layersLoss(new CrossEntropyLoss({ labelSmoothing: 0.1 })) });
        const oneHot = tf.oneHot([0, 2, 1, 1], 3); // int32
        const want = await crossEntropy(x, oneHot.toFloat(), { labelSmoothing: 0.1 }).data();
        close(await (model.evaluate(x, oneHot) as tf.Scalar).data(), want, 'evaluate');
        assertThrows(() => model.evaluate(x, tf.tensor1d([0, 2, 1, 1])), 'target expected a batch of elements');
      },
    },
    {
      name: 'NLLLoss takes class indices only, and says so',
      run() {
        const { model, x } = identity([4, 3]);
        model.compile({ optimizer: 'sgd', loss: layersLoss(new NLLLoss()) });
        assertThrows(() => model.evaluate(x, tf.oneHot([0, 2, 1, 1], 3)), 'NLLLoss takes class indices');
      },
    },
    {
      name: 'accepts class indices before or after compile, and after another compile',
      async run() {
        const y = tf.tensor1d([0, 2, 1, 1], 'int32');
        const x = tf.ones([4, 2]);
        const loss = layersLoss(new CrossEntropyLoss());
        const models = [
          () => tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] }),
          () => {
            const input = tf.input({ shape: [2] });
            return tf.model({
              inputs: input,
              outputs: tf.layers.dense({ units: 3 }).apply(input) as tf.SymbolicTensor,
            });
          },
        ];
        for (const make of models) {
          const before = acceptIndexTargets(make());
          before.compile({ optimizer: 'sgd', loss });
          const after = make();
          after.compile({ optimizer: 'sgd', loss });
          acceptIndexTargets(acceptIndexTargets(after));
          for (const model of [before, after]) {
            await model.trainOnBatch(x, y);
            model.compile({ optimizer: 'sgd', loss, metrics: [layersAccuracy(new CrossEntropyLoss())] });
            assertEqual(((await model.trainOnBatch(x, y)) as number[]).length, 2, 'loss and metric');
            model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
            assertThrows(() => model.evaluate(x, tf.ones([4, 2])), 'target expected a batch of elements');
          }
        }
      },
    },
    {
      name: 'several outputs, each with its loss and metrics, in arrays and dictionaries; the others keep their checks',
      async run() {
        const x = tf.randomNormal([4, 2], 0, 1, 'float32', 5);
        const index = tf.tensor1d([0, 2, -100, 1], 'int32');
        const tokens = tf.tensor2d([0, 255, 1, 1, 255, 0, 1, 0], [4, 2], 'int32');
        const number = tf.ones([4, 1]);
        const [a, b] = [new CrossEntropyLoss({ weight: [1, 2, 3] }), new CrossEntropyLoss({ ignoreIndex: 255 })];
        const model = threeHeads();
        const results: number[][] = [];
        for (const args of [
          { loss: [a, b, 'meanSquaredError'], metrics: ['accuracy'] },
          {
            loss: { classes: a, tokens: b, number: 'meanSquaredError' },
            metrics: { classes: 'acc', tokens: ['accuracy'], number: ['accuracy'] },
          },
        ]) {
          compileWithLoss(model, { optimizer: tf.train.sgd(0), ...args });
          const names = [
            'loss',
            'classes_loss',
            'tokens_loss',
            'number_loss',
            'classes_acc',
            'tokens_acc',
            'number_acc',
          ];
          assertEqual(model.metricsNames, names, 'names');
          const predicted = model.predict(x) as tf.Tensor[];
          const got = (await model.trainOnBatch(x, [index, tokens, number])) as number[];
          close([got[1]], await a.forward(predicted[0], index).data(), 'classes_loss');
          close(
            [got[2]],
            await crossEntropy(predicted[1], tokens, { ignoreIndex: 255, dim: -1 }).data(),
            'tokens_loss',
          );
          const hits = tf.argMax(predicted[1], -1).equal(tokens).sum().div(6);
          close([got[5]], await hits.data(), 'tokens_acc');
          close([got[0]], [got[1] + got[2] + got[3]], 'sum of the losses');
          assertThrows(
            () => model.evaluate(x, [index, tokens, tf.ones([4, 2])]),
            'target expected a batch of elements',
          );
          results.push(got);
        }
        close(results[0], results[1], 'array and dictionary');
      },
    },
    {
      name: 'accuracy and perplexity: class indices, one-hot, ignored targets, any axis',
      async run() {
        const logits = tf.tensor3d([
          [
            [5, 0, 0],
            [0, 5, 0],
          ],
          [
            [0, 0, 5],
            [5, 0, 0],
          ],
        ]);
        const criterion = new CrossEntropyLoss({ ignoreIndex: 0, weight: [1, 2, 3], labelSmoothing: 0.3 });
        const accuracy = layersAccuracy(criterion);
        const target = tf.tensor2d(
          [
            [0, 1],
            [1, 2],
          ],
          [2, 2],
          'int32',
        );
        close(await tf.mean(accuracy(target, logits)).data(), [1 / 3], 'indices');
        close(await tf.mean(accuracy(tf.oneHot(target, 3), logits)).data(), [1 / 2], 'one-hot');
        const first = tf.transpose(logits, [0, 2, 1]);
        close(await tf.mean(layersAccuracy(criterion, { axis: 1 })(target, first)).data(), [1 / 3], 'axis 1');
        close(await tf.mean(accuracy(tf.zerosLike(target), logits)).data(), [0], 'of nothing');
        const want = tf.exp(crossEntropy(logits, target, { ignoreIndex: 0, dim: -1 }));
        close(await tf.mean(layersPerplexity(criterion)(target, logits)).data(), await want.data(), 'perplexity');
        assertEqual([accuracy.name, layersPerplexity(criterion).name], ['acc', 'perplexity'], 'names');
      },
    },
    {
      name: 'metrics in the history of fit',
      async run() {
        const { model, x } = identity([4, 3]);
        const loss = new CrossEntropyLoss();
        compileWithLoss(model, { optimizer: tf.train.sgd(0), loss, metrics: ['accuracy', 'perplexity', 'mse'] });
        const label = await tf.argMax(x, -1).data();
        const y = tf.tensor1d([label[0], -100, (label[2] + 1) % 3, label[3]], 'int32');
        const oneHot = tf.oneHot(tf.tensor1d(label, 'int32'), 3).toFloat();
        close((await model.fit(x, oneHot, QUIET)).history.acc as number[], [1], 'one-hot');
        compileWithLoss(model, { optimizer: tf.train.sgd(0), loss, metrics: ['accuracy', 'perplexity'] });
        const { history } = await model.fit(x, y, QUIET);
        assertEqual(Object.keys(history), ['loss', 'acc', 'perplexity'], 'names');
        close(history.acc as number[], [2 / 3], 'indices');
        close(history.perplexity as number[], [Math.exp((history.loss as number[])[0])], 'perplexity');
      },
    },
    {
      name: 'classWeight of fit multiplies in; an ignored target needs an entry',
      async run() {
        const { model, x } = identity([4, 3]);
        compileWithLoss(model, { optimizer: tf.train.sgd(0), loss: new CrossEntropyLoss() });
        const y = tf.tensor1d([0, 2, -100, 1], 'int32');
        const rows = await crossEntropy(x, y, { reduction: 'none' }).data();
        const { history } = await model.fit(x, y, { ...QUIET, classWeight: { 0: 2, 1: 0.5, 2: 1, [-100]: 7 } });
        close(history.loss as number[], [(2 * rows[0] + rows[1] + 0.5 * rows[3]) / 3], 'loss');
      },
    },
    {
      name: 'a batch of ignored targets only: 0, the weights unharmed, and histories finite',
      async run() {
        for (const optimizer of [tf.train.sgd(0.5), tf.train.adam(0.5)]) {
          const { model, x } = identity([4, 3]);
          compileWithLoss(model, { optimizer, loss: new CrossEntropyLoss({ labelSmoothing: 0.1, weight: [1, 2, 3] }) });
          const before = await model.getWeights()[0].data();
          const ignored = tf.fill([4], -100, 'int32');
          close([(await model.trainOnBatch(x, ignored)) as number], [0], 'loss');
          close(await tf.mean(layersLoss(new CrossEntropyLoss())(ignored, x)).data(), [0], 'the loss alone');
          close(await model.getWeights()[0].data(), before, 'weights');
          const metrics = ['accuracy', 'perplexity', 'ce', topKAccuracy(2)];
          compileWithLoss(model, { optimizer, loss: new CrossEntropyLoss(), metrics });
          const { history } = await model.fit(x, ignored, { ...QUIET, validationData: [x, ignored] });
          const want = { loss: 0, acc: 0, perplexity: 1, ce: 0, top2Accuracy: 0 };
          for (const [name, value] of Object.entries(want)) {
            close(history[name] as number[], [value], name);
            close(history[`val_${name}`] as number[], [value], `val_${name}`);
          }
        }
      },
    },
    {
      name: 'masked classes, i.e. logits of -Infinity, train the others',
      async run() {
        for (const y of [tf.tensor1d([0, 1, 1, 0], 'int32'), tf.oneHot([0, 1, 1, 0], 3)]) {
          const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
          const kernel = model.getWeights()[0];
          model.setWeights([kernel, tf.tensor1d([0, 0, Number.NEGATIVE_INFINITY])]);
          compileWithLoss(model, { optimizer: tf.train.sgd(0.5), loss: new CrossEntropyLoss() });
          const x = tf.tensor2d([
            [1, 2],
            [-1, 1],
            [0, 3],
            [2, -1],
          ]);
          const logits = tf.slice(tf.matMul(x, kernel), [0, 0], [4, 2]);
          const want = await crossEntropy(logits, tf.tensor1d([0, 1, 1, 0], 'int32')).data();
          close([(await model.trainOnBatch(x, y)) as number], want, 'loss');
          const [weights, bias] = await Promise.all(model.getWeights().map((weight) => weight.data()));
          assertEqual([...weights, ...bias.slice(0, 2)].every(Number.isFinite), true, 'finite');
        }
      },
    },
    {
      name: 'no tensors are left behind by epochs',
      async run() {
        for (const activation of ['softmax', undefined] as const) {
          const { x } = identity([5, 3]);
          const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, activation, inputShape: [3] })] });
          const y = tf.tensor1d([0, 2, -100, 1, 1], 'int32');
          for (const loss of [new CrossEntropyLoss({ weight: [1, 2, 3] }), new NLLLoss()]) {
            const metrics = ['accuracy', 'perplexity', topKAccuracy(2)];
            warnings(() => compileWithLoss(model, { optimizer: 'adam', loss, metrics }));
            const epochs = (epochs: number) =>
              model.fit(x, y, { ...QUIET, epochs, batchSize: 2, validationData: [x, y] });
            await epochs(1); // the optimizer's moments
            const before = tf.memory().numTensors;
            await epochs(3);
            tf.dispose(model.evaluate(x, y));
            await model.trainOnBatch(x, y);
            await model.fit(x, y, { ...QUIET, classWeight: { 0: 1, 1: 2, 2: 3, [-100]: 1 } });
            assertEqual(tf.memory().numTensors - before, 0, `tensors, ${activation}`);
          }
        }
      },
    },
    {
      name: 'values that are no log-probabilities under NLLLoss are warned of once; a softmax is none',
      run() {
        const input = () => tf.layers.dense({ units: 3, inputShape: [2, 4] });
        const [ce, nll] = [new CrossEntropyLoss(), new NLLLoss()];
        const of = (loss: CrossEntropyLoss | NLLLoss, layer: tf.layers.Layer) => {
          const model = tf.sequential({ layers: [input(), layer] });
          return warnings(() => {
            compileWithLoss(model, { optimizer: 'sgd', loss });
            compileWithLoss(model, { optimizer: 'sgd', loss });
          });
        };
        const linear = tf.layers.dense({ units: 3 });
        const [warning, ...more] = of(nll, linear);
        assertEqual(more, [], 'one warning');
        assertEqual(warning.includes(`NLLLoss expects log-probabilities, but layer "${linear.name}"`), true, warning);
        assertEqual(of(ce, tf.layers.dense({ units: 3 })), [], 'logits');
        for (const criterion of [ce, nll]) {
          assertEqual(of(criterion, tf.layers.dense({ units: 3, activation: 'softmax' })), [], 'softmax');
        }
        assertEqual(of(nll, tf.layers.activation({ activation: 'logSoftmax' as 'softmax' })), [], 'log-probabilities');
        assertEqual(of(nll, tf.layers.batchNormalization()), [], 'not to be judged');
      },
    },
    {
      name: 'a criterion in plain compile: an error that says what to write, wherever it is; others compile as ever',
      run() {
        for (const loss of [new CrossEntropyLoss(), new NLLLoss()]) {
          const { model } = identity([1, 3]);
          for (const place of [loss, [loss], { [model.layers[0].name]: loss }]) {
            assertThrows(
              () => model.compile({ optimizer: 'sgd', loss: place as never }),
              'write compileWithLoss(model, { loss: criterion, ... }), of tfjs-cross-entropy/layers',
            );
          }
          assertEqual(
            Object.keys(loss).filter((name) => !/^[a-z]+$/i.test(name)),
            [],
            'fields that are no names',
          );
          for (const loss of ['meanSquaredError', ['meanSquaredError'], layersLoss(new CrossEntropyLoss())]) {
            model.compile({ optimizer: 'sgd', loss });
          }
        }
      },
    },
    {
      name: 'a disposed criterion: its loss throws as forward does',
      run() {
        const criterion = new CrossEntropyLoss({ weight: [1, 2, 3] });
        const { model, x } = identity([4, 3]);
        const y = tf.tensor1d([0, 2, 1, 1], 'int32');
        compileWithLoss(model, { optimizer: 'sgd', loss: criterion, metrics: ['accuracy', 'perplexity'] });
        criterion.dispose();
        const before = tf.memory().numTensors;
        assertThrows(() => criterion.forward(x, y), 'This CrossEntropyLoss is disposed');
        assertThrows(() => layersLoss(criterion)(y, x), 'This CrossEntropyLoss is disposed');
        assertThrows(() => model.evaluate(x, y), 'This CrossEntropyLoss is disposed');
        assertEqual(tf.memory().numTensors - before, 0, 'tensors left behind');
      },
    },
    {
      name: 'classWeight of Layers is of one class an example: several are an error that names the right one',
      async run() {
        const { model, x } = identity([4, 2, 3]);
        compileWithLoss(model, { optimizer: 'sgd', loss: new CrossEntropyLoss() });
        const y = tf.tensor2d([0, 1, 1, 2, 2, 0, 0, 0], [4, 2], 'int32');
        const before = tf.memory().numTensors;
        const fit = model.fit(x, y, { ...QUIET, classWeight: { 0: 1, 1: 2 } });
        const message = await fit.then(
          () => 'none',
          (error: Error) => error.message,
        );
        assertEqual(message.includes('new CrossEntropyLoss({ weight'), true, message);
        // Layers itself leaves the indices of its epoch behind when a batch throws.
        assertEqual(tf.memory().numTensors - before <= 1, true, 'tensors left behind');
      },
    },
    {
      name: 'a mixed model keeps the losses of the other outputs when it is saved',
      async run() {
        const model = threeHeads();
        const loss = [new CrossEntropyLoss(), 'categoricalCrossentropy', 'meanSquaredError'];
        compileWithLoss(model, { optimizer: 'sgd', loss, metrics: ['accuracy'] });
        const { trainingConfig } = await artifacts(model);
        const kept = { tokens: 'categorical_crossentropy', number: 'mean_squared_error' };
        assertEqual((trainingConfig as { loss: object }).loss, kept, 'losses');
        const { warned } = await listening(async () => tf.loadLayersModel(tf.io.fromMemory(await artifacts(model))));
        assertEqual(warned.length, 1, 'warnings');
        assertEqual(warned[0].startsWith('Output "classes" is missing from loss dictionary'), true, warned[0]);
      },
    },
    {
      name: 'save with the optimizer, load, compile again, and go on as if never saved',
      async run() {
        const x = tf.randomNormal([6, 2], 0, 1, 'float32', 3);
        const y = tf.tensor1d([0, 2, -100, 1, 1, 2], 'int32');
        const criterion = new CrossEntropyLoss({ weight: [1, 0.3, 3], labelSmoothing: 0.1 });
        const metrics = ['accuracy', 'perplexity'];
        const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
        compileWithLoss(model, { optimizer: tf.train.adam(0.1), loss: criterion, metrics });
        for (let i = 0; i < 3; i++) await model.trainOnBatch(x, y);
        storeCriterion(model, criterion);
        const loaded = await reload(model);
        const again = loadCriterion(loaded) as CrossEntropyLoss;
        assertEqual(again.getConfig(), criterion.getConfig(), 'criterion');
        compileWithLoss(loaded, { optimizer: loaded.optimizer, loss: again, metrics });
        for (let i = 0; i < 3; i++) {
          close(
            (await loaded.trainOnBatch(x, y)) as number[],
            (await model.trainOnBatch(x, y)) as number[],
            `step ${i}`,
          );
        }
      },
    },
    {
      name: 'several outputs can be saved too, and their criteria',
      async run() {
        const [a, b] = [new CrossEntropyLoss({ ignoreIndex: 7 }), new NLLLoss({ reduction: 'sum' })];
        const model = threeHeads();
        const loss = { classes: a, tokens: new CrossEntropyLoss(), number: 'meanSquaredError' };
        compileWithLoss(model, { optimizer: 'sgd', loss, metrics: ['accuracy'] });
        model.setUserDefinedMetadata({ mine: 1 });
        storeCriterion(model, { classes: a, tokens: b });
        const loaded = await reload(model);
        const criteria = loadCriterion(loaded) as Record<string, CrossEntropyLoss | NLLLoss>;
        assertEqual(
          [criteria.classes.getConfig(), criteria.tokens.getConfig()],
          [a.getConfig(), b.getConfig()],
          'configs',
        );
        assertEqual(criteria.tokens instanceof NLLLoss, true, 'class');
        assertEqual((loaded.getUserDefinedMetadata() as { mine: number }).mine, 1, 'what else was stored');
        assertThrows(() => loadCriterion(threeHeads()), 'storeCriterion');
      },
    },
  ];
  // TensorFlow.js itself cannot move weights off WebGPU on a software renderer: it reads zeros and loses the device.
  return backend === 'webgpu' ? checks : [...checks, backendSwitch(backend, close)];
}

type Close = (got: ArrayLike<number>, want: ArrayLike<number>, what: string) => void;

function backendSwitch(backend: string, close: Close): Check {
  return {
    name: 'goes on after a switch of the backend, and back',
    async run() {
      const { model, x } = identity([4, 3]);
      const y = tf.tensor1d([0, 2, -100, 1], 'int32');
      compileWithLoss(model, { optimizer: tf.train.sgd(0), loss: new CrossEntropyLoss({ weight: [1, 2, 3] }) });
      const losses: number[] = [];
      try {
        for (const name of [backend, 'cpu', backend]) {
          await tf.setBackend(name);
          losses.push((await model.trainOnBatch(x, y)) as number);
        }
      } finally {
        await tf.setBackend(backend);
      }
      close(losses.slice(1), [losses[0], losses[0]], 'losses');
    },
  };
}

const QUIET = { epochs: 1, verbose: 0, shuffle: false, yieldEvery: 'never' } as const;

/** A model that gives back `x` until it is trained, by a layer whose kernel starts as the identity; it learns slowly. */
function identity([count, ...shape]: number[]) {
  const classes = shape[shape.length - 1];
  const kernelInitializer = tf.initializers.identity({});
  const layer = tf.layers.dense({ units: classes, useBias: false, kernelInitializer, inputShape: shape });
  const model = tf.sequential({ layers: [layer] });
  return { model, x: tf.randomNormal([count, ...shape], 0, 2, 'float32', 11) };
}

function threeHeads(): tf.LayersModel {
  const input = tf.input({ shape: [2] });
  const dense = (units: number, name: string) => tf.layers.dense({ units, name }).apply(input) as tf.SymbolicTensor;
  const tokens = tf.layers
    .reshape({ targetShape: [2, 2], name: 'tokens' })
    .apply(dense(4, 'flat')) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: [dense(3, 'classes'), tokens, dense(1, 'number')] });
}

/** Through `save` with the optimizer and `loadLayersModel`, which warns of each output whose loss it does not know. */
async function reload(model: tf.LayersModel): Promise<tf.LayersModel> {
  const saved = await artifacts(model);
  const { value } = await listening(() => tf.loadLayersModel(tf.io.fromMemory(saved)));
  return value;
}

/** What `f` warns of. */
function warnings(f: () => void): string[] {
  const { warn } = console;
  const texts: string[] = [];
  console.warn = (text: string) => texts.push(text);
  try {
    f();
  } finally {
    console.warn = warn;
  }
  return texts;
}

/** What `f` gives, and what it warns of. */
async function listening<T>(f: () => Promise<T>): Promise<{ value: T; warned: string[] }> {
  const { warn } = console;
  const warned: string[] = [];
  console.warn = (text: string) => warned.push(text);
  try {
    return { value: await f(), warned };
  } finally {
    console.warn = warn;
  }
}
