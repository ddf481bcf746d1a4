import { customGrad, engine, keep, reshape, type Tensor } from '@tensorflow/tfjs-core';

/**
 * What TensorFlow.js saves for a gradient it clones, which on wasm is a copy. A reshape shares its data on every
 * backend, but for its own gradient it saves a clone too: hence this one, which passes on what comes. Derivatives of
 * gradients run through it as they do through a clone.
 */
export const shared: (x: Tensor) => Tensor = customGrad((x) => ({
  value: reshape(x as Tensor, (x as Tensor).shape),
  gradFunc: (dy: Tensor) => dy,
}));

/**
 * Saves tensors for the gradient of the op that has just run, after what TensorFlow.js has saved for it; it disposes
 * of all of them together.
 */
export function saveForGradient(tensors: Tensor[]): void {
  const { activeTape } = engine().state;
  activeTape[activeTape.length - 1].saved!.push(...tensors.map((x) => keep(x)));
}
