import type * as tf from '@tensorflow/tfjs';
import { acceptIndexTargets, compileWithLoss, layersLoss } from 'tfjs-cross-entropy/layers';
import type { Check } from '../support/check';
import { assertClose, numbers } from '../support/tensors';
import {
  batches,
  criterionOf,
  type Ending,
  endings,
  examples,
  expectedLosses,
  fitSteps,
  network,
  optimizerOf,
  type Run,
  runs,
} from '../support/training';

/** Whole training runs in Layers: each step's loss and the weights at the end are PyTorch's. */
export function trainingSuite(backend: string): Check[] {
  const possible = runs.filter((run) => !impossible(run, backend));
  return [
    ...possible.map((run) => ({ name: `fit, ${run.name}`, run: () => train(run, fitSteps) })),
    ...endings.slice(1).flatMap((ending) =>
      possible
        .filter(({ name }) => /^softmax.*(smoothing|nll)$/.test(name))
        .filter((run) => ending !== 'TimeDistributed' || /tokens|pixels/.test(run.name))
        .map((run) => ({ name: `${ending}, ${run.name}`, run: () => train(run, fitSteps, ending) })),
    ),
    ...['trainOnBatch', 'fitDataset'].flatMap((method) =>
      possible
        .filter(({ name }) => name.endsWith('sgd/weight-ignore-smoothing') || name.endsWith('adam/probabilities'))
        .map((run) => ({ name: `${method}, ${run.name}`, run: () => train(run, METHODS[method]) })),
    ),
    ...possible
      .filter(({ name }) => name.endsWith('adam/weight-ignore-smoothing'))
      .map((run) => ({
        name: `fit with targets in float32, ${run.name}`,
        run: () => train(run, (model) => fitSteps(model, run, examples(run, 'float32'))),
      })),
  ];
}

/** What TensorFlow.js itself cannot do, or gets wrong. */
function impossible({ name, layers }: Run, backend: string): boolean {
  if (backend === 'wasm') return layers.some(({ type }) => type === 'conv'); // no Conv2DBackpropFilter
  // The gradient of its logSoftmax leaves rubbish in the padding of packed textures; with an odd number of classes the
  // matrix product reads it, and the weights below get a gradient that is about 1% off.
  return backend === 'webgl' && name === 'classes/momentum/nll';
}

type Steps = (model: tf.LayersModel, run: Run) => Promise<number[]>;

const METHODS: Record<string, Steps> = {
  async trainOnBatch(model, run) {
    const losses: number[] = [];
    for (let epoch = 0; epoch < run.epochs; epoch++) {
      for (const { xs, ys } of batches(run)) losses.push((await model.trainOnBatch(xs, ys)) as number);
    }
    return losses;
  },

  async fitDataset(model, run) {
    const losses: number[] = [];
    const dataset = {
      size: null as unknown as number,
      async iterator() {
        const rest = batches(run); // Layers disposes each
        return { next: async () => ({ value: rest.shift() ?? null, done: rest.length === 0 }) };
      },
    };
    await model.fitDataset(dataset as unknown as tf.data.Dataset<tf.TensorContainer>, {
      epochs: run.epochs,
      verbose: 0,
      yieldEvery: 'never',
      callbacks: { onBatchEnd: async (_, logs) => void losses.push(logs!.loss) },
    });
    return losses;
  },
};

async function train(run: Run, steps: Steps, ending?: Ending): Promise<void> {
  const model = network(run, ending);
  const optimizer = optimizerOf(run);
  const criterion = criterionOf(run);
  if (run.axis === -1) {
    compileWithLoss(model, { optimizer, loss: criterion });
  } else {
    acceptIndexTargets(model).compile({ optimizer, loss: layersLoss(criterion, { axis: run.axis }) });
  }
  const losses = await steps(model, run);
  const wanted = expectedLosses(run);
  assertClose(losses, wanted, (want) => 1e-5 * Math.max(1, Math.abs(want)), 'losses');
  for (const [i, weight] of model.getWeights().entries()) {
    assertClose(await weight.data(), numbers(run.expect.weights[i].data), 1e-5, `weight ${i}`);
  }
  model.dispose();
  optimizer.dispose();
  criterion.dispose();
}
