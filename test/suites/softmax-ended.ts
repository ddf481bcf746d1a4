import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, crossEntropy, NLLLoss } from 'tfjs-cross-entropy';
import {
  acceptIndexTargets,
  compileWithLoss,
  installInLayers,
  layersLoss,
  topKAccuracy,
} from 'tfjs-cross-entropy/layers';
import { type Check, isHost } from '../support/check';
import { assertClose, assertEqual, assertThrows } from '../support/tensors';
import { endings, network, runs } from '../support/training';

/** Models that end in a softmax, as most do, and Layers' own names of losses and metrics. */
export function softmaxEndedSuite(backend: string): Check[] {
  const close = (got: ArrayLike<number>, want: ArrayLike<number>, what: string) =>
    assertClose(got, want, (x) => (isHost(backend) ? 2e-6 : 2e-5) * Math.max(1, Math.abs(x)), what);
  const read = async (x: tf.Tensor) => Array.from(await x.data());

  return [
    {
      name: 'predict stays as it is to the bit, what is saved says softmax, and no layer keeps a trace',
      async run() {
        const run = runs.find(({ name }) => name === 'softmax/tokens/adam/weight-ignore-smoothing')!;
        for (const ending of endings) {
          const [model, twin] = [network(run, ending), network(run, ending)];
          const x = tf.randomNormal([6, ...run.x.shape.slice(1)], 0, 1, 'float32', 3);
          const y = tf.zeros([6, run.x.shape[1]], 'int32');
          const traces = () => everyLayer(model).map((layer) => [layer.name, Object.keys(layer), layer.getConfig()]);
          const before = JSON.stringify(traces());
          compileWithLoss(model, { optimizer: tf.train.sgd(0.1), loss: new CrossEntropyLoss(), metrics: ['accuracy'] });
          await model.fit(x, y, { ...QUIET, validationData: [x, y] });
          assertEqual(JSON.stringify(traces()) === before, true, `${ending}: layers as before`);
          twin.setWeights(model.getWeights());
          assertEqual(await read(model.predict(x) as tf.Tensor), await read(twin.predict(x) as tf.Tensor), ending);
          assertEqual(JSON.stringify(model.toJSON()).includes('oftmax'), true, `${ending}: saved`);
        }
      },
    },
    {
      name: 'compiled anew with another loss, it is Layers own again',
      async run() {
        const x = tf.randomNormal([6, 4], 0, 1, 'float32', 3);
        const oneHot = tf.oneHot(tf.tensor1d([0, 2, 1, 1, 0, 2], 'int32'), 3);
        for (const loss of ['meanSquaredError', 'categoricalCrossentropy']) {
          const [model, twin] = [dense('functional'), dense('functional')];
          twin.setWeights(model.getWeights());
          compileWithLoss(model, { optimizer: tf.train.sgd(0.1), loss: new CrossEntropyLoss(), metrics: ['accuracy'] });
          await model.trainOnBatch(x, oneHot);
          twin.setWeights(model.getWeights());
          for (const one of [model, twin])
            one.compile({ optimizer: tf.train.sgd(0.1), loss, metrics: ['accuracy', 'mse'] });
          for (let step = 0; step < 2; step++) {
            assertEqual(await model.trainOnBatch(x, oneHot), await twin.trainOnBatch(x, oneHot), `${loss}, ${step}`);
          }
          const evaluated = [model, twin].map((one) => Promise.all((one.evaluate(x, oneHot) as tf.Scalar[]).map(read)));
          assertEqual(await evaluated[0], await evaluated[1], `${loss}, evaluated`);
          assertThrows(() => model.evaluate(x, tf.ones([6], 'int32')), 'target expected a batch of elements');
        }
      },
    },
    {
      name: 'Layers own cross-entropy by name stays Layers own, unless it is installed',
      async run() {
        const [model, twin] = [dense('functional'), dense('functional')];
        twin.setWeights(model.getWeights().map((w) => tf.mul(w, 1000)));
        model.setWeights(twin.getWeights());
        const x = tf.randomNormal([6, 4], 0, 1, 'float32', 3);
        const y = tf.tensor1d([0, 2, 1, 1, 0, 2]);
        acceptIndexTargets(model);
        const losses = [model, twin].map((one) => {
          one.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
          return read(one.evaluate(x, y) as tf.Scalar);
        });
        assertEqual(await losses[0], await losses[1], 'loss, clipped');
      },
    },
    {
      name: 'large logits: the loss is exact and the gradient does not vanish',
      async run() {
        const kernel = tf.tensor2d([[300, 0, -300]]);
        for (const criterion of [new CrossEntropyLoss(), new NLLLoss()]) {
          const model = tf.sequential({
            layers: [tf.layers.dense({ units: 3, useBias: false, activation: 'softmax', inputShape: [1] })],
          });
          model.setWeights([kernel]);
          compileWithLoss(model, { optimizer: tf.train.sgd(1), loss: criterion });
          close([(await model.trainOnBatch(tf.ones([1, 1]), tf.tensor1d([2], 'int32'))) as number], [600], 'loss');
          close(await read(model.getWeights()[0]), [299, 0, -299], 'weights');
        }
      },
    },
    {
      name: 'acceptIndexTargets with layersLoss, before and after compile',
      async run() {
        const x = tf.randomNormal([4, 4], 0, 1, 'float32', 5);
        const y = tf.tensor1d([0, 2, 1, 1], 'int32');
        const loss = layersLoss(new CrossEntropyLoss());
        for (const kind of ['sequential', 'functional'] as const) {
          const [before, after] = [dense(kind), dense(kind)];
          after.setWeights(before.getWeights());
          const want = await crossEntropy(logitsOf(before, x), y).data();
          acceptIndexTargets(before).compile({ optimizer: 'sgd', loss, metrics: ['accuracy'] });
          after.compile({ optimizer: 'sgd', loss, metrics: ['accuracy'] });
          acceptIndexTargets(after);
          const got = [before, after].map((model) => model.evaluate(x, y) as tf.Scalar[]);
          for (const [value, accuracy] of got) {
            close(await read(value), want, 'loss');
            close(
              await read(accuracy),
              await read(tf.argMax(logitsOf(before, x), -1).equal(y).toFloat().mean()),
              'accuracy',
            );
          }
        }
      },
    },
    {
      name: 'one head, applied twice, with a criterion for each output',
      async run() {
        const input = tf.input({ shape: [4] });
        const head = tf.layers.dense({ units: 3, activation: 'softmax' });
        const hidden = [5, 5].map(
          (units) => tf.layers.dense({ units, activation: 'tanh' }).apply(input) as tf.SymbolicTensor,
        );
        const outputs = hidden.map((x) => head.apply(x) as tf.SymbolicTensor);
        const model = tf.model({ inputs: input, outputs });
        const bodies = tf.model({ inputs: input, outputs: hidden });
        const criteria = [new CrossEntropyLoss({ ignoreIndex: 0 }), new CrossEntropyLoss({ labelSmoothing: 0.2 })];
        compileWithLoss(model, { optimizer: tf.train.sgd(0), loss: criteria, metrics: ['accuracy', 'ce'] });
        const x = tf.randomNormal([5, 4], 0, 1, 'float32', 5);
        const targets = [tf.tensor1d([0, 1, 0, 2, 1], 'int32'), tf.tensor1d([0, 0, 0, 0, -100], 'int32')];
        const logits = tf.tidy(() =>
          (bodies.predict(x) as tf.Tensor[]).map((x) =>
            tf.add(tf.matMul(x as tf.Tensor2D, head.getWeights()[0] as tf.Tensor2D), head.getWeights()[1]),
          ),
        );
        const [loss, ...got] = (await model.trainOnBatch(x, targets)) as number[];
        const values = (f: (z: tf.Tensor, i: number) => tf.Tensor) => read(tf.stack(logits.map(f)));
        const want = await values((z, i) => criteria[i].forward(z, targets[i]));
        close(got.slice(0, 2), want, 'losses');
        close([loss], [want[0] + want[1]], 'total');
        const accuracies = await values((z, i) => {
          const counts = targets[i].notEqual(criteria[i].ignoreIndex);
          const hits = tf.argMax(z, -1).equal(targets[i]).logicalAnd(counts);
          return hits.toFloat().sum().div(counts.toFloat().sum());
        });
        const plain = await values((z, i) => crossEntropy(z, targets[i], { ignoreIndex: criteria[i].ignoreIndex }));
        const right = [0, 1].flatMap((i) => [accuracies[i], plain[i]]);
        close(got.slice(2), right, 'metrics');
      },
    },
    {
      name: 'two outputs of one nested model, of which one is trained by Layers own loss',
      async run() {
        const inner = tf.input({ shape: [4] });
        const heads = [
          tf.layers.dense({ units: 3, activation: 'sigmoid' }).apply(inner) as tf.SymbolicTensor,
          tf.layers.dense({ units: 3, activation: 'softmax' }).apply(inner) as tf.SymbolicTensor,
        ];
        const nested = tf.model({ inputs: inner, outputs: heads });
        const input = tf.input({ shape: [4] });
        const model = tf.model({ inputs: input, outputs: nested.apply(input) as tf.SymbolicTensor[] });
        const criterion = new CrossEntropyLoss({ ignoreIndex: 1 });
        compileWithLoss(model, {
          optimizer: tf.train.sgd(0),
          loss: ['binaryCrossentropy', criterion],
          metrics: ['accuracy'],
        });
        const x = tf.randomNormal([5, 4], 0, 1, 'float32', 5);
        const bits = tf.tensor2d([0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1], [5, 3]);
        const index = tf.tensor1d([0, 1, 2, 2, 0], 'int32');
        const [, first, second, bitAccuracy, accuracy] = (await model.trainOnBatch(x, [bits, index])) as number[];
        const [p, q] = model.predict(x) as tf.Tensor[];
        close([first], await read(tf.metrics.binaryCrossentropy(bits, p).mean()), 'binary cross-entropy');
        close([bitAccuracy], await read(tf.metrics.binaryAccuracy(bits, p).mean()), 'binary accuracy');
        close([second], await read(crossEntropy(tf.log(q), index, { ignoreIndex: 1 })), 'cross-entropy');
        const hits = tf.argMax(q, -1).equal(index).logicalAnd(index.notEqual(1));
        close([accuracy], await read(hits.toFloat().sum().div(4)), 'accuracy');
      },
    },
    {
      name: 'probabilities that the model itself takes too: logits for the loss alone',
      async run() {
        const build = (wrap: (layer: tf.layers.Layer) => tf.layers.Layer, shape: number[], activation?: 'softmax') => {
          const input = tf.input({ shape });
          const head = wrap(
            tf.layers.dense({ units: 3, activation, kernelInitializer: 'zeros', biasInitializer: 'ones' }),
          );
          const probabilities = head.apply(input) as tf.SymbolicTensor;
          const next = tf.layers.dense({ units: 1 }).apply(probabilities) as tf.SymbolicTensor;
          return tf.model({ inputs: input, outputs: [probabilities, next] });
        };
        const wraps: [(layer: tf.layers.Layer) => tf.layers.Layer, number[]][] = [
          [(layer) => layer, [4]],
          [(layer) => tf.layers.timeDistributed({ layer }), [2, 4]],
        ];
        for (const [wrap, shape] of wraps) {
          const model = build(wrap, shape, 'softmax');
          const weights = model.getWeights().map((w, i) => tf.randomNormal(w.shape, 0, 1, 'float32', 7 + i));
          model.setWeights(weights);
          const x = tf.randomNormal([3, ...shape], 0, 1, 'float32', 5);
          const rows = [3, ...shape.slice(0, -1)];
          const y = tf.fill(rows, 2, 'int32');
          const number = tf.ones([...rows, 1]);
          const criterion = new CrossEntropyLoss({ labelSmoothing: 0.1, dim: -1 });
          compileWithLoss(model, {
            optimizer: tf.train.sgd(0.5),
            loss: [criterion, 'meanSquaredError'],
            metrics: ['mae'],
          });
          // By hand, on the same numbers.
          const [kernel, bias, kernel2, bias2] = weights.map((w) => tf.variable(w));
          const flat = x.reshape([-1, 4]) as tf.Tensor2D;
          const loss = () => {
            const logits = tf.add(tf.matMul(flat, kernel as tf.Tensor2D), bias) as tf.Tensor2D;
            const next = tf.add(tf.matMul(tf.softmax(logits), kernel2 as tf.Tensor2D), bias2);
            const square = tf.squaredDifference(next, 1).mean();
            return crossEntropy(logits, y.flatten(), { labelSmoothing: 0.1 }).add(square) as tf.Scalar;
          };
          const want = tf.train.sgd(0.5).minimize(loss, true)!;
          assertThrows(() => model.evaluate(x, [y, number]), "'mae' compares");
          compileWithLoss(model, { optimizer: tf.train.sgd(0.5), loss: [criterion, 'meanSquaredError'] });
          const before = tf.memory().numTensors;
          const [got] = (await model.trainOnBatch(x, [y, number])) as number[];
          assertEqual(tf.memory().numTensors - before, 0, 'tensors left behind');
          close([got], await read(want), 'loss');
          for (const [i, w] of [kernel, bias, kernel2, bias2].entries()) {
            close(await read(model.getWeights()[i]), await read(w), `weight ${i}`);
          }
          tf.dispose([kernel, bias, kernel2, bias2]);
        }
      },
    },
    {
      name: 'one layer behind two outputs: for a criterion the logits, for Layers own loss and metrics the probabilities',
      async run() {
        const input = tf.input({ shape: [4] });
        const output = tf.layers.dense({ units: 3, activation: 'softmax' }).apply(input) as tf.SymbolicTensor;
        const again = tf.layers.reshape({ targetShape: [3] }).apply(output) as tf.SymbolicTensor;
        const model = tf.model({ inputs: input, outputs: [output, again] });
        const criterion = new CrossEntropyLoss();
        compileWithLoss(model, {
          optimizer: tf.train.sgd(0),
          loss: [criterion, 'meanSquaredError'],
          metrics: [sumOfOutputs],
        });
        const x = tf.randomNormal([5, 4], 0, 1, 'float32', 5);
        const y = tf.tensor1d([0, 1, 2, 2, 0], 'int32');
        const oneHot = tf.oneHot(y, 3).toFloat();
        const [, first, second, ...sums] = (await model.trainOnBatch(x, [y, oneHot])) as number[];
        const [p] = model.predict(x) as tf.Tensor[];
        close([first], await read(crossEntropy(logitsOf(model, x), y)), 'cross-entropy');
        close([second], await read(tf.squaredDifference(p, oneHot).mean()), 'square');
        close(sums, [1, 1], 'what the own metrics see');
      },
    },
    {
      name: 'where the logits cannot be had: a warning that names the layer',
      run() {
        const input = () => tf.layers.dense({ units: 3, inputShape: [2, 4] });
        const softmax = () => tf.layers.dense({ units: 4, activation: 'softmax' });
        const recurrent = tf.layers.simpleRNN({ units: 3, activation: 'softmax' });
        for (const layers of [
          [recurrent],
          [softmax(), tf.layers.flatten()],
          [softmax(), tf.layers.reshape({ targetShape: [4, 2] })],
          [softmax(), tf.layers.permute({ dims: [2, 1] })],
          [tf.layers.softmax({ axis: 1 })],
        ]) {
          const model = tf.sequential({ layers: [input(), ...layers] });
          const texts = warnings(() => {
            for (let i = 0; i < 2; i++) compileWithLoss(model, { optimizer: 'sgd', loss: new CrossEntropyLoss() });
          });
          assertEqual(texts.length, 1, 'one warning');
          assertEqual(texts[0].includes(`layer "${layers[0].name}" applies a softmax`), true, texts[0]);
        }
        const moved = tf.sequential({ layers: [input(), softmax(), tf.layers.permute({ dims: [2, 1] })] });
        const loss = new CrossEntropyLoss({ dim: 1 });
        assertEqual(
          warnings(() => compileWithLoss(moved, { optimizer: 'sgd', loss })),
          [],
          'along the axis it moved to',
        );
        const applied = tf.layers.timeDistributed({ layer: tf.layers.softmax({ axis: 1 }) });
        const inSlices = tf.sequential({ layers: [input(), applied] });
        assertEqual(
          warnings(() => compileWithLoss(inSlices, { optimizer: 'sgd', loss: new CrossEntropyLoss({ dim: 2 }) })),
          [],
          'along the last axis of each slice',
        );
      },
    },
    {
      name: 'every name and function of a metric that Layers knows is right, or refused',
      async run() {
        const x = tf.randomNormal([8, 4], 0, 1, 'float32', 5);
        const y = tf.tensor1d([0, 1, 2, 2, 0, 1, -100, 2], 'int32');
        for (const loss of [new CrossEntropyLoss(), new CrossEntropyLoss({ labelSmoothing: 0.1, reduction: 'sum' })]) {
          const model = dense('functional');
          const logits = logitsOf(model, x);
          const accuracy = await read(tf.argMax(logits, -1).equal(y).toFloat().sum().div(7));
          const ce = await read(crossEntropy(logits, y));
          const { categoricalAccuracy, sparseCategoricalAccuracy, categoricalCrossentropy } = tf.metrics;
          const metrics = {
            acc: ['accuracy', accuracy],
            categoricalAccuracy: ['categoricalAccuracy', accuracy],
            sparseCategoricalAccuracy: ['sparseCategoricalAccuracy', accuracy],
            ce: ['crossentropy', ce],
            categoricalCrossentropy: ['categoricalCrossentropy', ce],
            sparseCategoricalCrossentropy: ['sparseCategoricalCrossentropy', ce],
            perplexity: ['perplexity', ce.map(Math.exp)],
            top2Accuracy: [topKAccuracy(2), [await among(2, logits, y)]],
          } as const;
          const entries = Object.values(metrics).map(([entry]) => entry);
          compileWithLoss(model, { optimizer: tf.train.sgd(0), loss, metrics: entries as unknown as string[] });
          const { history } = await model.fit(x, y, { ...QUIET, batchSize: 8, validationData: [x, y] });
          assertEqual(Object.keys(history).slice(9), ['loss', ...Object.keys(metrics)], 'names');
          for (const [name, [, want]] of Object.entries(metrics)) {
            close([history[name][0] as number, history[`val_${name}`][0] as number], [want[0], want[0]], name);
          }
          const functions = [categoricalAccuracy, sparseCategoricalAccuracy, categoricalCrossentropy];
          compileWithLoss(model, { optimizer: tf.train.sgd(0), loss, metrics: functions });
          close(
            ((await model.trainOnBatch(x, y)) as number[]).slice(1),
            [...accuracy, ...accuracy, ...ce],
            'functions',
          );
        }
      },
    },
    {
      name: 'metrics that compare element by element take one-hot targets, and refuse class indices',
      async run() {
        const x = tf.randomNormal([4, 4], 0, 1, 'float32', 5);
        const y = tf.tensor1d([0, 1, 2, 2], 'int32');
        const oneHot = tf.oneHot(y, 3).toFloat();
        const { binaryAccuracy, precision, recall, meanSquaredError, cosineProximity, r2Score } = tf.metrics;
        const names = ['mse', 'MSE', 'mae', 'MAE', 'mape', 'MAPE', 'cosine', 'binaryAccuracy', 'precision'];
        for (const activation of ['softmax', undefined] as const) {
          const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, activation, inputShape: [4] })] });
          for (const metric of [
            ...names,
            binaryAccuracy,
            precision,
            recall,
            meanSquaredError,
            cosineProximity,
            r2Score,
          ]) {
            compileWithLoss(model, { optimizer: 'sgd', loss: new CrossEntropyLoss(), metrics: [metric] });
            const before = tf.memory().numTensors;
            assertThrows(() => model.evaluate(x, y), 'compares targets and outputs element by element');
            assertEqual(tf.memory().numTensors - before, 0, 'tensors left behind');
          }
          compileWithLoss(model, { optimizer: tf.train.sgd(0), loss: new CrossEntropyLoss(), metrics: ['mse'] });
          const [, got] = (await model.trainOnBatch(x, oneHot)) as number[];
          const p = tf.softmax(logitsOf(model, x));
          close([got], await read(tf.squaredDifference(p, oneHot).mean()), 'of probabilities');
        }
      },
    },
    {
      name: 'Layers own cross-entropies, once installed: exact wherever the output ends in a softmax',
      async run() {
        class Mine extends tf.LayersModel {}
        installInLayers({ LayersModel: Mine as never, metrics: tf.metrics });
        const make = (activation: 'softmax' | 'sigmoid' | undefined, units = 3) => {
          const input = tf.input({ shape: [4] });
          const output = tf.layers.dense({ units, activation }).apply(input) as tf.SymbolicTensor;
          return new Mine({ inputs: input, outputs: output, name: 'mine' } as never) as tf.LayersModel;
        };
        const x = tf.randomNormal([4, 4], 0, 100, 'float32', 5);
        const y = tf.tensor1d([0, 1, 2, 2], 'int32');
        const oneHot = tf.oneHot(y, 3);
        const [sparse, categorical] = ['sparseCategoricalCrossentropy', 'categoricalCrossentropy'];
        const cases: [unknown, tf.Tensor][] = [
          [sparse, y],
          [sparse, y.toFloat()],
          [sparse, y.expandDims(1)],
          [[sparse], y],
          [categorical, oneHot],
          [categorical, oneHot.toFloat()],
          [tf.metrics.categoricalCrossentropy, oneHot],
        ];
        for (const [loss, target] of cases) {
          const model = make('softmax');
          const logits = logitsOf(model, x);
          model.compile({ optimizer: tf.train.sgd(0), loss: loss as string, metrics: ['accuracy'] });
          assertEqual(model.loss, loss, 'as Layers would save it');
          const want = [
            ...(await read(crossEntropy(logits, y))),
            ...(await read(tf.argMax(logits, -1).equal(y).toFloat().mean())),
          ];
          close((await model.trainOnBatch(x, target)) as number[], want, `${loss}, ${target.dtype} [${target.shape}]`);
          const { history } = await model.fit(x, target, { ...QUIET, validationData: [x, target] });
          assertEqual(Object.keys(history), ['val_loss', 'val_acc', 'loss', 'acc'], 'names');
        }
        // Others keep Layers' own arithmetic and checks.
        for (const activation of ['sigmoid', undefined] as const) {
          const model = make(activation);
          const twin = tf.model({ inputs: model.inputs, outputs: model.outputs });
          for (const one of [model, twin])
            one.compile({ optimizer: tf.train.sgd(0), loss: categorical, metrics: ['accuracy'] });
          const small = x.div(100);
          const [got, want] = [await model.trainOnBatch(small, oneHot), await twin.trainOnBatch(small, oneHot)];
          assertEqual(got, want, String(activation));
          assertThrows(() => model.evaluate(x, y), 'target expected a batch of elements');
        }
        const model = make('softmax');
        model.compile({ optimizer: 'sgd', loss: sparse });
        assertThrows(() => model.evaluate(x, oneHot), "Write loss: 'categoricalCrossentropy'");
        model.compile({ optimizer: 'sgd', loss: categorical });
        assertThrows(() => model.evaluate(x, y), 'target expected a batch of elements');
        model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['accuracy'] });
        assertThrows(() => model.evaluate(x, y), 'target expected a batch of elements');
      },
    },
    {
      name: 'trainOnBatch passes over the logits as often as a step by hand, and the loss runs no more programs',
      async run() {
        const [examples, classes] = [6, 500];
        const x = tf.randomNormal([examples, 4], 0, 1, 'float32', 5);
        const y = tf.zeros([examples], 'int32');
        const build = (activation?: 'softmax') =>
          tf.sequential({ layers: [tf.layers.dense({ units: classes, activation, inputShape: [4] })] });
        const criterion = new CrossEntropyLoss();
        const hand = build();
        const optimizer = tf.train.sgd(0.1);
        const byHand = await watched(examples * classes, async () => {
          const loss = () => criterion.forward(hand.layers[0].apply(x) as tf.Tensor, y);
          const value = optimizer.minimize(loss, true)!;
          await value.data();
          value.dispose();
        });
        for (const [activation, metrics] of [
          [undefined, []],
          ['softmax', []],
          ['softmax', ['perplexity', 'ce']],
          ['softmax', ['accuracy']],
          ['softmax', ['accuracy', 'categoricalAccuracy', 'perplexity']],
        ] as const) {
          const model = build(activation);
          compileWithLoss(model, { optimizer: tf.train.sgd(0.1), loss: criterion, metrics: [...metrics] });
          const inLayers = await watched(examples * classes, () => model.trainOnBatch(x, y));
          assertEqual(inLayers.passes, byHand.passes, `passes with ${metrics}`);
          assertEqual(inLayers.programs, byHand.programs, `programs of the loss with ${metrics}`);
          assertEqual(byHand.programs > 0, !isHost(backend), 'programs on GPUs');
        }
      },
    },
  ];
}

const QUIET = { epochs: 2, verbose: 0, shuffle: false, yieldEvery: 'never', batchSize: 4 } as const;

const sumOfOutputs = (_: tf.Tensor, yPred: tf.Tensor): tf.Tensor => tf.sum(yPred, -1);

/**
 * What runs during `f`: the kernels that read or write a tensor of so many elements, by name; and on GPUs how many
 * programs or dispatches the kernels of the loss take.
 */
async function watched(size: number, f: () => Promise<unknown>) {
  await f(); // what is only done once
  const passes: string[] = [];
  let programs = 0;
  let isInLoss = false;

  const engine = tf.engine();
  const { runKernel } = engine;
  engine.runKernel = (name, inputs, attrs) => {
    isInLoss = name.startsWith('CrossEntropyLoss');
    const result = runKernel.call(engine, name, inputs, attrs);
    isInLoss = false;
    const tensors = [...Object.values(inputs), result].flat() as tf.Tensor[];
    if (name !== 'Reshape' && tensors.some((x) => x?.size >= size)) passes.push(name);
    return result as never;
  };
  const backend = tf.backend() as unknown as Record<string, unknown>;
  const owner = (backend.gpgpu ?? backend) as Record<string, unknown>;
  const method = backend.gpgpu ? 'executeProgram' : 'runWebGPUProgram';
  const run = owner[method] as ((...args: unknown[]) => unknown) | undefined;
  if (run) {
    owner[method] = (...args: unknown[]) => {
      if (isInLoss) programs++;
      return run.apply(owner, args);
    };
  }
  try {
    await f();
  } finally {
    engine.runKernel = runKernel;
    if (run) owner[method] = run;
  }
  return { passes: passes.sort(), programs };
}

/** The share of rows, but for the ignored, with less than `k` outputs above that of the label. */
async function among(k: number, logits: tf.Tensor, target: tf.Tensor): Promise<number> {
  const rows = (await logits.array()) as number[][];
  const labels = Array.from(await target.data());
  const counted = rows.map((row, i) => ({ row, label: labels[i] })).filter(({ label }) => label >= 0);
  return counted.filter(({ row, label }) => row.filter((x) => x > row[label]).length < k).length / counted.length;
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

function dense(kind: 'sequential' | 'functional'): tf.LayersModel {
  const layer = tf.layers.dense({ units: 3, activation: 'softmax', inputShape: [4] });
  if (kind === 'sequential') return tf.sequential({ layers: [layer] });
  const input = tf.input({ shape: [4] });
  return tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
}

/** What `dense` has before its softmax. */
function logitsOf(model: tf.LayersModel, x: tf.Tensor): tf.Tensor {
  const [kernel, bias] = model.getWeights();
  return tf.add(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D), bias);
}

function everyLayer(model: tf.LayersModel): tf.layers.Layer[] {
  return model.layers.flatMap((layer) => {
    const { layers, layer: inner } = layer as unknown as { layers?: object; layer?: tf.layers.Layer };
    if (layers) return [layer, ...everyLayer(layer as tf.LayersModel)];
    return inner ? [layer, inner] : [layer];
  });
}
