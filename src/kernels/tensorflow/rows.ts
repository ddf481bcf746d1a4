import { gather, reshape, type Tensor, type Tensor1D, tensor1d, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { type ClassView, elementAt } from '../../contract/class-view';
import { valuesOf } from './backend';

/** One value a row, to be broadcast over the classes. */
export function rowTensor(values: Float32Array, { outer, inner }: ClassView): Tensor {
  return tensor3d(values, [outer, 1, inner]);
}

/** Where the label of each row is in the flat input; for an ignored row where its first class is. */
export function labelElements(targets: ArrayLike<number>, view: ClassView, ignoreIndex: number): Tensor1D {
  const elements = new Int32Array(view.rows);
  for (let row = 0; row < view.rows; row++) {
    elements[row] = elementAt(row, targets[row] === ignoreIndex ? 0 : targets[row], view);
  }
  return tensor1d(elements, 'int32');
}

/** The input at each row's label, without copying the whole input out of TensorFlow. */
export function labelsOf(
  input: Tensor,
  targets: ArrayLike<number>,
  view: ClassView,
  ignoreIndex: number,
): Float32Array {
  return scoped(() => valuesOf(gather(reshape(input, [-1]), labelElements(targets, view, ignoreIndex))));
}

/** A tidy whose result holds no tensors: `tidy` would look for them in an array's every element. */
export function scoped<Result>(f: () => Result): Result {
  let result: Result | undefined;
  tidy(() => {
    result = f();
  });
  return result as Result;
}
