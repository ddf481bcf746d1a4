import { Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { keptShape, rowShape } from '../contract/class-view';
import type { ClassWeight } from '../contract/options';
import { describe, expected } from './errors';

/**
 * Checks on the tensors that a caller passes. PyTorch's wording where it has one, with our names and types; the
 * order of the checks is PyTorch's too. Nothing is computed and nothing read back before all have passed.
 */

export function checkTensor(x: unknown, name: string): asserts x is Tensor {
  if (!(x instanceof Tensor)) throw expected(`\`${name}\``, 'a tf.Tensor', x);
  if (x.isDisposed) throw new Error(`Expected \`${name}\` to be a live tensor, but it has been disposed.`);
}

export function checkFloat(x: Tensor, name: string, functionName: string): void {
  if (x.dtype !== 'float32') {
    throw new TypeError(`"${functionName}" not implemented for '${x.dtype}'. Cast \`${name}\`: ${name}.toFloat().`);
  }
}

export function checkInteger(x: unknown, name: string): void {
  if (!Number.isInteger(x)) throw expected(`\`${name}\``, 'an integer', x);
}

/** The dimension as a number from 0. A scalar counts as having one dimension, as in PyTorch. */
export function checkDim(dim: number, rank: number): number {
  const size = Math.max(rank, 1);
  checkInteger(dim, 'dim');
  if (dim < -size || dim >= size) {
    throw new RangeError(`Dimension out of range (expected to be in range of [${-size}, ${size - 1}], but got ${dim})`);
  }
  return dim < 0 ? dim + size : dim;
}

/** The class dimension of a loss: dimension 1, or the only one of an unbatched input. */
export function checkClassDim(dim: number | undefined, rank: number): number {
  if (rank === 0) throw new Error('Expected 1 or more dimensions (got 0)');
  return checkDim(dim === undefined ? Math.min(rank - 1, 1) : dim, rank);
}

/** Logits, be they there or not. */
export type Shaped = Pick<Tensor, 'shape' | 'rank'>;

/** An index target must have the input's shape less its class dimension, and hold int32. */
export function checkIndexTarget(input: Shaped, target: Tensor, dim: number): void {
  const { rank } = input;
  const expected = rowShape(input.shape, dim);
  const fits = show(expected) === show(target.shape);
  const misfit = (message: string) => new Error(message + advice(input, target, dim));

  if (rank === 1 && !fits) {
    throw misfit(`For 1D input, 1D target must have size 1, but got target size: ${target.size}.`);
  }
  if (expected[0] !== target.shape[0]) {
    throw misfit(`Expected input batch_size (${expected[0]}) to match target batch_size (${target.shape[0] ?? 0}).`);
  }
  if (rank === 2 && !fits) {
    throw misfit(
      '0D or 1D target tensor expected, multi-target not supported. ' +
        `Got input: ${show(input.shape)}, target: ${show(target.shape)}.`,
    );
  }
  if (rank === 4 && target.rank !== 3) {
    throw misfit(
      `only batches of spatial targets supported (3D tensors) but got targets of dimension: ${target.rank}.`,
    );
  }
  if (rank !== 4 && !fits) {
    throw misfit(`Expected target size ${show(expected)}, got ${show(target.shape)}.`);
  }
  if (target.dtype !== 'int32') {
    throw new TypeError(
      `expected target dtype to be int32, but got ${target.dtype}. Cast class indices: target.toInt().`,
    );
  }
  if (!fits) throw misfit(`size mismatch (got input: ${show(input.shape)} , target: ${show(target.shape)}).`);
}

/** What was most likely meant where the shape of an index target does not fit. */
function advice(input: Shaped, target: Tensor, dim: number): string {
  for (const axis of [dim, input.rank - 1]) {
    const match = matchLabels(target, input, axis);
    if (match < 0) continue;
    return (
      (match ? ` Write target.squeeze([${axis}]).` : '') + (axis === dim ? '' : ' For channels-last set `dim: -1`.')
    );
  }
  const swapped = matchLabels(input, target, target.rank - 1) >= 0;
  return swapped ? ' The order is (input, target); Layers takes layersLoss(criterion).' : '';
}

/** Whether labels have the shape of logits without their class axis (0), with 1 there (1), or neither (-1). */
const matchLabels = (labels: Shaped, logits: Shaped, axis: number) =>
  [rowShape, keptShape].findIndex((shape) => show(shape(logits.shape, axis)) === show(labels.shape));

export function checkProbabilityTarget(target: Tensor, ignoreIndex: number): void {
  if (target.dtype !== 'float32') {
    throw new TypeError(
      `Expected floating point type for target with class probabilities, got ${target.dtype}. Cast one-hot labels: ` +
        'target.toFloat().',
    );
  }
  if (ignoreIndex >= 0) {
    throw new Error(`ignoreIndex is not supported for floating point target (got ignoreIndex ${ignoreIndex})`);
  }
}

/** Checks class weights against the classes, and gives them as a tensor: `[0]` for none. */
export function weightTensor(weight: ClassWeight | null, input: Shaped, dim: number, prefix = ''): Tensor {
  if (weight == null) return tensor1d(NONE);
  const classes = input.shape[dim];
  const shape = weightShape(weight);
  if (shape.length !== 1 || shape[0] !== classes) {
    const all = input.rank <= 2 || prefix ? `all ${classes} classes` : 'all';
    throw new Error(
      `${prefix}weight tensor should be defined either for ${all} or no classes but got weight tensor of shape: ` +
        `${show(shape)}. Expected shape [${classes}].`,
    );
  }
  return weight instanceof Tensor ? weight : tensor1d(new Float32Array(weight as number[]));
}

const NONE = new Float32Array(0);

/** The shape of class weights, which must be numbers, those of a tensor float32. */
export function weightShape(weight: ClassWeight): number[] {
  if (weight instanceof Tensor) {
    checkTensor(weight, 'weight');
    if (weight.dtype !== 'float32') {
      throw new TypeError(`expected scalar type Float but found ${weight.dtype}. Cast \`weight\`: weight.toFloat().`);
    }
    return weight.shape;
  }
  const values = weight as readonly number[];
  if (!Array.isArray(values) && !(ArrayBuffer.isView(values) && 'length' in values)) {
    throw expected('`weight`', 'an array of numbers or a tf.Tensor', values);
  }
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] === 'number') continue;
    throw new TypeError(`\`weight\` must hold numbers, got ${describe(values[i])} at index ${i}.`);
  }
  return [values.length];
}

const show = (shape: readonly number[]) => `[${shape.join(', ')}]`;
