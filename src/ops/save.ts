import { engine, keep, reshape, type Tensor } from '@tensorflow/tfjs-core';

/**
 * What TensorFlow.js saves for a gradient it clones, which on wasm is a copy. A reshape shares its data on every
 * backend, and is on the tape like a clone: derivatives of gradients run through it.
 */
export function shared(x: Tensor): Tensor {
  return reshape(x, x.shape);
}

/**
 * Saves tensors for the gradient of the op that has just run, after what TensorFlow.js has saved for it; it disposes
 * of all of them together.
 */
export function saveForGradient(tensors: Tensor[]): void {
  const { activeTape } = engine().state;
  activeTape[activeTape.length - 1].saved!.push(...tensors.map((x) => keep(x)));
}
