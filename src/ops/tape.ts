import { engine, keep, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';
import { detached } from '../contract/formulas';

/**
 * What our ops leave on TensorFlow.js's tape for their gradients. TensorFlow.js's own saving would not do: it clones,
 * which on wasm copies the logits; it knows what it saved by position only; and for outputs that only the gradient needs
 * it makes zeros as large as they are. It also cuts outputs off from the tape (their clone is recorded before the op
 * is), so that no derivative runs through them.
 */
interface Saved {
  /** The same data as the op saw, cut off from the tape. */
  readonly tensors: NamedTensorMap;
  /** The op's inputs themselves, which may be disposed of by now. */
  readonly inputs: NamedTensorMap;
}

/** What a node of the tape saved, and where it stands by name: on the array itself, which other copies of us see too. */
type SavedTensors = Tensor[] & { byName?: Saved };

/** Whether what is computed now will be differentiated, and its derivative as far as is known will not. */
export const isDifferentiatedOnce = (): boolean => engine().state.gradientDepth === 1;

/**
 * Saves tensors for the gradient of the op that has just run; TensorFlow.js disposes of them with its tape. Of the op's
 * outputs only the first one matters to the tape. Those tensors that are `owned` nobody else has: they need no copy.
 */
export function saveForGradient(tensors: NamedTensorMap, owned: readonly string[] = []): void {
  const { activeTape } = engine().state;
  const { saved, inputs, outputs } = activeTape[activeTape.length - 1];
  const copies: NamedTensorMap = {};
  for (const [name, x] of Object.entries(tensors)) {
    copies[name] = keep(owned.includes(name) ? x : detached(x));
    saved!.push(copies[name]);
  }
  outputs.length = 1;
  (saved as SavedTensors).byName = { tensors: copies, inputs };
}

/**
 * What was saved, by name. While a tape is on, somebody may differentiate the gradient as well, be it of a loss made long
 * before: then all inputs of the op, saved or not, are there as well, connected to the tape again.
 */
export function recall(saved: SavedTensors): NamedTensorMap {
  const { tensors, inputs } = saved.byName!;
  if (!engine().isTapeOn()) return tensors;
  const recalled = { ...tensors };
  for (const [name, original] of Object.entries(inputs)) {
    if (original.isDisposed && !tensors[name]) {
      throw new Error(
        'The gradient of a loss is differentiated, but the logits of the loss are gone. Make the loss inside the ' +
          'function that is differentiated: tf.grad((x) => { const loss = crossEntropy(x, target); ... }).',
      );
    }
    recalled[name] = original.isDisposed ? standIn(original, tensors[name]) : original;
  }
  return recalled;
}

/** A copy of a tensor in its place on the tape. */
function standIn(original: Tensor, copy: Tensor): Tensor {
  const { state } = engine();
  const x = detached(copy);
  state.activeTape.push({
    id: state.nextTapeNodeId++,
    kernelName: 'StandIn',
    inputs: { x: original },
    outputs: [x],
    saved: [],
    gradient: (dys) => ({ x: () => (dys as Tensor[])[0] }),
  });
  return x;
}
