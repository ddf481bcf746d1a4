import { customGrad, engine, keep, reshape, type Tensor } from '@tensorflow/tfjs-core';

/**
 * The same data once more, as a tensor that derivatives run through. What TensorFlow.js saves for a gradient it clones,
 * which on wasm is a copy; a reshape is none, but saves a clone for its own gradient: hence this one.
 */
export const shared: (x: Tensor) => Tensor = customGrad((x) => ({
  value: reshape(x as Tensor, (x as Tensor).shape),
  gradFunc: (dy: Tensor) => dy,
}));

/** The same data once more, as a tensor that no derivative runs through. */
export function detached(x: Tensor): Tensor {
  engine().backend.incRef(x.dataId);
  return engine().makeTensorFromTensorInfo(x);
}

/** Whether what is computed now will be differentiated, but its derivative will not. */
export const isDifferentiatedOnce = (): boolean => engine().state.gradientDepth === 1;

/**
 * Saves tensors for the gradient of the op that has just run; TensorFlow.js disposes of them with its tape. Of the op's
 * outputs the first one alone matters to the tape, which would make zeros for the gradients of the others.
 */
export function saveForGradient(tensors: Tensor[]): void {
  const { activeTape } = engine().state;
  const node = activeTape[activeTape.length - 1];
  node.saved!.push(...tensors.map((x) => keep(x)));
  node.outputs.length = 1;
}
