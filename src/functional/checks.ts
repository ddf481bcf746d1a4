import { Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { rowShape } from '../contract/class-view';
import type { ClassWeight, Reduction } from '../contract/options';

/**
 * Every check on what a caller passes. PyTorch's wording where it has one, with our names and types; the order of the
 * checks is PyTorch's too. Nothing is computed and nothing read back before all have passed.
 */

export function checkTensor(x: unknown, name: string): asserts x is Tensor {
  if (!(x instanceof Tensor)) {
    throw new TypeError(`Expected \`${name}\` to be a tf.Tensor, got ${describe(x)}. Make one with tf.tensor().`);
  }
  if (x.isDisposed) throw new Error(`Expected \`${name}\` to be a live tensor, but it has been disposed.`);
}

export function checkFloat(x: Tensor, name: string, functionName: string): void {
  if (x.dtype !== 'float32') {
    throw new TypeError(`"${functionName}" not implemented for '${x.dtype}'. Cast \`${name}\`: ${name}.toFloat().`);
  }
}

/** An option that we do not know is most often PyTorch's spelling of one that we do. */
export function checkOptions(options: object, known: readonly string[], functionName: string): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new TypeError(`${functionName} has no option \`${name}\`. Its options: ${known.join(', ')}.`);
  }
}

export function checkReduction(reduction: string): asserts reduction is Reduction {
  if (!['mean', 'sum', 'none'].includes(reduction)) {
    throw new Error(`${reduction} is not a valid value for reduction. Expected 'mean', 'sum' or 'none'.`);
  }
}

export function checkLabelSmoothing(labelSmoothing: number): void {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new RangeError(`labelSmoothing must be between 0.0 and 1.0. Got: ${labelSmoothing}`);
  }
}

export function checkIgnoreIndex(ignoreIndex: number): void {
  if (!Number.isInteger(ignoreIndex)) {
    throw new TypeError(`Expected \`ignoreIndex\` to be an integer, got ${describe(ignoreIndex)}.`);
  }
}

/** The dimension as a number from 0. A scalar counts as having one dimension, as in PyTorch. */
export function checkDim(dim: number, rank: number): number {
  const size = Math.max(rank, 1);
  if (!Number.isInteger(dim)) throw new TypeError(`Expected \`dim\` to be an integer, got ${describe(dim)}.`);
  if (dim < -size || dim >= size) {
    throw new RangeError(`Dimension out of range (expected to be in range of [${-size}, ${size - 1}], but got ${dim})`);
  }
  return dim < 0 ? dim + size : dim;
}

/** The class dimension of a loss: dimension 1, or the only one of an unbatched input. */
export function checkClassDim(dim: number | undefined, rank: number): number {
  if (rank === 0) throw new Error('Expected 1 or more dimensions (got 0)');
  return checkDim(dim ?? (rank === 1 ? 0 : 1), rank);
}

/** An index target must have the input's shape less its class dimension, and hold int32. */
export function checkIndexTarget(input: Tensor, target: Tensor, dim: number): void {
  const expected = rowShape(input.shape, dim);
  const sameShape = show(expected) === show(target.shape);
  if (input.rank === 1) {
    if (!sameShape) {
      throw new Error(
        `For 1D input, 1D target must have size 1, but got target size: ${target.size}. ` +
          `Expected a scalar target for an unbatched input, got one of shape ${show(target.shape)}.`,
      );
    }
  } else if (expected[0] !== target.shape[0]) {
    throw new Error(`Expected input batch_size (${expected[0]}) to match target batch_size (${target.shape[0] ?? 0}).`);
  } else if (input.rank === 2) {
    if (!sameShape) {
      throw new Error(
        '0D or 1D target tensor expected, multi-target not supported. ' +
          `Got input: ${show(input.shape)}, target: ${show(target.shape)}.`,
      );
    }
  } else if (input.rank === 4 && target.rank !== 3) {
    throw new Error(
      `only batches of spatial targets supported (3D tensors) but got targets of dimension: ${target.rank}`,
    );
  } else if (input.rank !== 4 && !sameShape) {
    throw new Error(`Expected target size ${show(expected)}, got ${show(target.shape)}`);
  }
  if (target.dtype !== 'int32') {
    throw new TypeError(
      `expected target dtype to be int32, but got ${target.dtype}. Class indices are integers: cast them with ` +
        'target.toInt().',
    );
  }
  if (!sameShape) {
    throw new Error(`size mismatch (got input: ${show(input.shape)} , target: ${show(target.shape)})`);
  }
}

export function checkProbabilityTarget(target: Tensor, ignoreIndex: number): void {
  if (target.dtype !== 'float32') {
    throw new TypeError(
      `Expected floating point type for target with class probabilities, got ${target.dtype}. A target of the ` +
        "input's shape holds probabilities; class indices have its shape less the class dimension.",
    );
  }
  if (ignoreIndex >= 0) {
    throw new Error(`ignoreIndex is not supported for floating point target (got ignoreIndex ${ignoreIndex})`);
  }
}

/** Checks class weights against the classes, and gives them as a tensor: `[0]` for none. */
export function weightTensor(weight: ClassWeight | null | undefined, input: Tensor, dim: number, prefix = ''): Tensor {
  if (weight == null) return tensor1d(NONE);
  const classes = input.shape[dim];
  const shape = weightShape(weight);
  if (shape.length !== 1 || shape[0] !== classes) {
    const expected =
      input.rank <= 2 || prefix ? `for all ${classes} classes or no classes but` : 'for all or no classes: expected';
    const got = input.rank <= 2 || prefix ? '' : ` [${classes}] but`;
    throw new Error(
      `${prefix}weight tensor should be defined either ${expected}${got} got weight tensor of shape: ${show(shape)}`,
    );
  }
  return weight instanceof Tensor ? weight : tensor1d(weight as number[], 'float32');
}

const NONE = new Float32Array(0);

/** The shape of class weights, which must be float32 numbers. */
export function weightShape(weight: ClassWeight): number[] {
  if (weight instanceof Tensor) {
    checkTensor(weight, 'weight');
    if (weight.dtype !== 'float32') {
      throw new TypeError(`expected scalar type Float but found ${weight.dtype}. Cast \`weight\`: weight.toFloat().`);
    }
    return weight.shape;
  }
  if (!Array.isArray(weight) && !(weight instanceof Float32Array)) {
    throw new TypeError(`Expected \`weight\` to be number[], a Float32Array or a Tensor1D, got ${describe(weight)}.`);
  }
  return [weight.length];
}

const show = (shape: readonly number[]) => `[${shape.join(', ')}]`;

function describe(x: unknown): string {
  if (x === null || x === undefined || typeof x === 'number') return String(x);
  return typeof x === 'object' ? (x.constructor?.name ?? 'object') : typeof x;
}
