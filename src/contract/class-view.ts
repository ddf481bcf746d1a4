/**
 * How every kernel sees a tensor, whatever its rank and class dimension: contiguous `[outer, classes, inner]`.
 *
 * A *row* is one position, i.e. all dimensions but the class one; row `r = o * inner + i` has its class `c` at
 * element `(o * classes + c) * inner + i`. Rows are numbered as the elements of an index target are.
 */
export interface ClassView {
  readonly outer: number;
  readonly classes: number;
  readonly inner: number;
  /** `outer * inner`. */
  readonly rows: number;
}

/** The class view of a tensor of this shape; `dim` is the class dimension, from 0. */
export function classView(shape: readonly number[], dim: number): ClassView {
  const outer = product(shape.slice(0, dim));
  const inner = product(shape.slice(dim + 1));
  return { outer, classes: shape.length === 0 ? 1 : shape[dim], inner, rows: outer * inner };
}

/** Where class `c` of a row is in a tensor of the class view. */
export function elementAt(row: number, c: number, { classes, inner }: ClassView): number {
  const o = Math.floor(row / inner);
  return (o * classes + c) * inner + (row - o * inner);
}

/** The shape without its class dimension: that of an index target, and of the loss with `reduction: 'none'`. */
export function rowShape(shape: readonly number[], dim: number): number[] {
  return shape.filter((_, axis) => axis !== dim);
}

/** The shape with one class: that of what is kept per row and broadcast over the classes. */
export function keptShape(shape: readonly number[], dim: number): number[] {
  return shape.map((size, axis) => (axis === dim ? 1 : size));
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
