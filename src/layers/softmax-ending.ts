import { customGrad, keep, reshape, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { softmax } from '../functional/softmax';
import type { LayersFunction } from './layers-function';
import type { Layer, SymbolicTensor } from './model';

/**
 * Models that end in a softmax, trained on the logits before it. While a batch is on, and no longer, the layers that
 * apply the softmax go without: then what the model puts out are the logits. Where something else in the model takes
 * the probabilities too, the layer makes both, and the logits are remembered by the probabilities made of them.
 */
export interface Endings {
  /** One an output. */
  readonly of: readonly Ending[];
  /** Runs the model on a batch. */
  during<T>(batch: () => T): T;
}

/** How to read what the model puts out while a batch is on. */
export interface Ending {
  /** The layer that computes the output. */
  readonly layer: Layer;
  /** The logits of what it puts out; `undefined` if it does not end in a softmax, or they cannot be had. */
  readonly logits?: (yPred: Tensor) => Tensor;
  /** The probabilities that it would put out; `undefined` where it puts out what it always does. */
  readonly probabilities?: (yPred: Tensor) => Tensor;
  /** A loss or metric of what it would put out. */
  seen(f: LayersFunction): LayersFunction;
}

/** Where the values of an output come from. */
export interface Origin {
  /** The layer that computes them: not one that just moves them, wraps it, or contains it. */
  readonly layer: Layer;
  /** The rank of what it computes. */
  readonly rank: number;
  /** Which axis of the output is the layer's last one; `undefined` for none. */
  readonly axis: number | undefined;
  /** A layer that applies it to one slice after another. */
  readonly wrapper?: Layer;
  readonly isMoved?: boolean;
}

const MOVES = ['Reshape', 'Permute', 'Flatten'];

/** Layers whose activation is the last that they do, along their last axis. */
const ACTIVATED = [
  ...['Dense', 'Activation', 'Conv1D', 'Conv2D', 'Conv3D'],
  ...['Conv2DTranspose', 'Conv3DTranspose', 'SeparableConv2D', 'DepthwiseConv2D'],
];

/** @param axes For each output the axis of the classes, from 0, of a loss on logits; `undefined` for any other loss. */
export function softmaxEndings(outputs: readonly SymbolicTensor[], axes: readonly (number | undefined)[]): Endings {
  const origins = outputs.map(originOf);
  const takenElsewhere = originsOfInputs(outputs);
  const bare = new Set<Layer>();
  const both = new Map<Layer, Layer>(); // the layer with the softmax, and what it is called through
  const remembered = new Map<Tensor, Tensor>();

  origins.forEach((origin, i) => {
    const { layer, axis, wrapper, isMoved } = origin;
    if (axis === undefined || axis !== axes[i] || !endsInSoftmax(origin)) return;
    const isReversible = origins.every((other) => other.layer !== layer || other.axis !== undefined);
    if (isReversible && !takenElsewhere.has(layer)) bare.add(layer);
    else if (!isMoved) both.set(layer, wrapper ?? layer);
  });

  const endings = origins.map(({ layer, axis, isMoved }, i): Ending => {
    const isWanted = axis !== undefined && axis === axes[i];
    if (bare.has(layer)) {
      const probabilities = (yPred: Tensor) => softmax(yPred, axis!);
      const seen = (f: LayersFunction) => (yTrue: Tensor, yPred: Tensor) => tidy(() => f(yTrue, probabilities(yPred)));
      return { layer, probabilities, seen, logits: isWanted ? (yPred) => yPred : undefined };
    }
    const hasBoth = isWanted && both.has(layer) && !isMoved;
    return { layer, seen: (f) => f, logits: hasBoth ? (yPred) => remembered.get(yPred)! : undefined };
  });

  return {
    of: endings,
    during(batch) {
      const undo = [...bare].map(withoutSoftmax);
      for (const [layer, whole] of both) undo.push(remembering(whole, layer, remembered));
      try {
        return batch();
      } finally {
        for (const restore of undo) restore();
        for (const logits of remembered.values()) logits.dispose();
        remembered.clear();
      }
    },
  };
}

export function originOf(output: SymbolicTensor): Origin {
  const { sourceLayer: layer, shape, tensorIndex, inputs } = output;
  if (layer.outputs) return originOf(layer.outputs[tensorIndex]);
  if (MOVES.includes(layer.getClassName())) {
    const origin = originOf(inputs[0]);
    return { ...origin, axis: movedAxis(layer, inputs[0].shape, shape, origin.axis), isMoved: true };
  }
  const last = shape.length - 1;
  if (layer.getClassName() !== 'TimeDistributed') return { layer, rank: last + 1, axis: last };
  const inner = layer.layer!;
  if (!inner.outputs) return { layer: inner, rank: last, axis: last, wrapper: layer };
  const origin = originOf(inner.outputs[0]);
  return { ...origin, axis: origin.axis === undefined ? undefined : origin.axis + 1, wrapper: layer };
}

type Shape = SymbolicTensor['shape'];

/** Where an axis of its input is in what a layer that moves values puts out; `undefined` where it is broken up. */
function movedAxis(layer: Layer, from: Shape, to: Shape, axis: number | undefined): number | undefined {
  if (axis === undefined) return undefined;
  if (layer.getClassName() === 'Permute') return layer.dims!.indexOf(axis) + 1;
  const [lastFrom, lastTo] = [from.length - 1, to.length - 1];
  return axis === lastFrom && from[lastFrom] === to[lastTo] ? lastTo : undefined;
}

/** Whether the last that its layer does is a softmax along the last axis. */
function endsInSoftmax({ layer, rank }: Origin): boolean {
  if (activationOf(layer) !== 'softmax') return false;
  const className = layer.getClassName();
  if (className === 'Softmax') return [-1, rank - 1].includes(layer.getConfig().axis as number);
  return ACTIVATED.includes(className) && layer.dataFormat !== 'channelsFirst';
}

export const activationOf = (layer: Layer) =>
  layer.getClassName() === 'Softmax' ? 'softmax' : layer.getConfig().activation;

/** The layers whose values layers of the model take, and do not just move. */
function originsOfInputs(outputs: readonly SymbolicTensor[]): Set<Layer> {
  const layers = new Set<Layer>();
  const visited = new Set<SymbolicTensor>();
  const visit = (x: SymbolicTensor) => {
    if (visited.has(x)) return;
    visited.add(x);
    const { sourceLayer: layer, inputs } = x;
    for (const inner of [layer.outputs, layer.layer?.outputs]) inner?.forEach(visit);
    for (const input of inputs) {
      if (!MOVES.includes(layer.getClassName())) layers.add(originOf(input).layer);
      visit(input);
    }
  };
  outputs.forEach(visit);
  return layers;
}

/** The same values as another tensor, as layers must give: no copy, and nothing kept for the gradient. */
const same = (x: Tensor): Tensor =>
  customGrad((x) => ({ value: reshape(x as Tensor, (x as Tensor).shape), gradFunc: (dy: Tensor) => dy }))(x);

/** Takes a layer's softmax away; gives what puts it back. */
function withoutSoftmax(layer: Layer): () => void {
  const { activation, softmax } = layer;
  if (softmax) {
    layer.softmax = same;
    return () => {
      layer.softmax = softmax;
    };
  }
  layer.activation = { getClassName: () => 'linear', apply: same };
  return () => {
    layer.activation = activation;
  };
}

/** Makes a layer remember the logits by the probabilities; gives what makes it forget. */
function remembering(whole: Layer, layer: Layer, remembered: Map<Tensor, Tensor>): () => void {
  const { call } = whole;
  const isOwn = Object.keys(whole).includes('call');
  whole.call = (inputs, kwargs) => {
    const restore = withoutSoftmax(layer);
    try {
      const [logits] = [call.call(whole, inputs, kwargs)].flat();
      const probabilities = softmax(logits, logits.rank - 1);
      remembered.set(probabilities, keep(logits)); // the graph's own scopes would end it
      return probabilities;
    } finally {
      restore();
    }
  };
  return () => {
    if (isOwn) whole.call = call;
    else delete (whole as Partial<Layer>).call;
  };
}
