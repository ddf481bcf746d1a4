import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, NLLLoss } from 'tfjs-cross-entropy';
import training from '../oracle/training.json';
import { numbers, type Packed, unpack } from './tensors';

/** A training run of the oracle; `make_training.py` documents the fields. */
export interface Run {
  readonly name: string;
  readonly layers: { type: 'dense' | 'conv'; units: number; activation: 'tanh' | 'logSoftmax' | 'softmax' | null }[];
  readonly axis: number;
  readonly criterion: 'CrossEntropyLoss' | 'NLLLoss';
  readonly options: object;
  readonly optimizer: { name: 'sgd' | 'momentum' | 'adam'; learningRate: number };
  readonly batchSize: number;
  readonly epochs: number;
  readonly x: Packed;
  readonly y: Packed;
  readonly weights: Packed[];
  readonly expect: { losses: (number | string)[]; weights: Packed[] };
}

export const runs = training.runs as unknown as Run[];

/** How a network may end in a softmax; all of them compute the same. */
export const endings = ['activation', 'Activation', 'Softmax', 'TimeDistributed', 'nested', 'functional'] as const;
export type Ending = (typeof endings)[number];

/** The network of a run, with its weights at the start. */
export function network({ layers, x, weights, axis }: Run, ending: Ending = 'activation'): tf.LayersModel {
  const inputShape = x.shape.slice(1);
  const made = layers.flatMap(({ type, units, activation }, i): tf.layers.Layer | tf.layers.Layer[] => {
    const isEnd = activation === 'softmax';
    // Layers has logSoftmax, but its type does not say so.
    const args = {
      activation: (isEnd && ['Activation', 'Softmax'].includes(ending)
        ? undefined
        : (activation ?? undefined)) as 'tanh',
      ...(i === 0 && { inputShape }),
    };
    const layer =
      type === 'dense'
        ? tf.layers.dense({ units, ...args })
        : tf.layers.conv2d({ filters: units, kernelSize: 3, padding: 'same', ...args });
    if (isEnd && ending === 'TimeDistributed') return tf.layers.timeDistributed({ layer });
    if (isEnd && ending === 'Activation') return [layer, tf.layers.activation({ activation })];
    if (isEnd && ending === 'Softmax') return [layer, tf.layers.softmax({ axis: -1 })];
    return layer;
  });
  const spatial = inputShape.slice(0, -1).map((_, i) => i + 1);
  if (axis === 1) made.push(tf.layers.permute({ dims: [spatial.length + 1, ...spatial] }));
  const model = assemble(made, inputShape, ending);
  tf.tidy(() => model.setWeights(weights.map((weight) => unpack(weight))));
  return model;
}

function assemble(layers: tf.layers.Layer[], inputShape: number[], ending: Ending): tf.LayersModel {
  if (ending === 'functional') {
    const input = tf.input({ shape: inputShape });
    const outputs = layers.reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, input);
    return tf.model({ inputs: input, outputs });
  }
  if (ending !== 'nested') return tf.sequential({ layers });
  const [first, ...rest] = layers;
  const hidden = first.getConfig().units ?? first.getConfig().filters;
  const input = tf.input({ shape: [...inputShape.slice(0, -1), hidden as number] });
  const inner = tf.model({
    inputs: input,
    outputs: rest.reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, input),
  });
  return tf.sequential({ layers: [first, inner] });
}

export function criterionOf({ criterion, options }: Run) {
  return criterion === 'NLLLoss' ? new NLLLoss(options) : new CrossEntropyLoss(options);
}

export function optimizerOf({ optimizer: { name, learningRate } }: Run): tf.Optimizer {
  if (name === 'sgd') return tf.train.sgd(learningRate);
  if (name === 'momentum') return tf.train.momentum(learningRate, training.meta.momentum);
  return tf.train.adam(learningRate, 0.9, 0.999, training.meta.epsilon);
}

export const isIndex = ({ x, y }: Run): boolean => y.shape.length < x.shape.length;

/** The examples of a run; class indices as int32, or as the float32 that Layers' users often have. */
export function examples(run: Run, dtype: 'int32' | 'float32' = 'int32') {
  return { x: unpack(run.x), y: unpack(run.y, isIndex(run) ? dtype : 'float32') };
}

/** The examples in batches, as a dataset yields them. */
export function batches(run: Run): { xs: tf.Tensor; ys: tf.Tensor }[] {
  return tf.tidy(() => {
    const { x, y } = examples(run);
    const [count] = x.shape;
    return Array.from({ length: Math.ceil(count / run.batchSize) }, (_, i) => {
      const start = i * run.batchSize;
      const size = Math.min(run.batchSize, count - start);
      return { xs: tf.slice(x, start, size), ys: tf.slice(y, start, size) };
    });
  });
}

/** `fit` in the oracle's order; gives the loss of each step. */
export async function fitSteps(model: tf.LayersModel, run: Run, data = examples(run)): Promise<number[]> {
  const losses: number[] = [];
  await model.fit(data.x, data.y, {
    batchSize: run.batchSize,
    epochs: run.epochs,
    shuffle: false,
    verbose: 0,
    yieldEvery: 'never',
    callbacks: { onBatchEnd: async (_, logs) => void losses.push(logs!.loss) },
  });
  return losses;
}

/** PyTorch's, but for batches of ignored targets only: 0 for its NaN, so that histories stay finite. */
export const expectedLosses = (run: Run): number[] => numbers(run.expect.losses).map((loss) => loss || 0);
