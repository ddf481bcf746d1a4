import { pad, reshape, type Scalar, sum, type Tensor } from '@tensorflow/tfjs-core';

/** Terms that are added one after another: their rounding error grows with the count, that of blocks with its log. */
const BLOCK = 64;

/** The sum over the middle dimension, kept, whose error does not grow with its size even where `tf.sum` just adds up. */
export function blockedSum(x: Tensor): Tensor {
  const [outer, size, inner] = x.shape;
  // Not every backend sums up nothing.
  if (x.size === 0) return reshape(pad(reshape(x, [0]), [[0, outer * inner]]), [outer, 1, inner]);
  if (size <= BLOCK) return sum(x, 1, true);
  const blocks = Math.ceil(size / BLOCK);
  const whole =
    size % BLOCK === 0
      ? x
      : pad(x, [
          [0, 0],
          [0, blocks * BLOCK - size],
          [0, 0],
        ]);
  const sums = sum(reshape(whole, [outer * blocks, BLOCK, inner]), 1);
  return blockedSum(reshape(sums, [outer, blocks, inner]));
}

/** The sums over all rows of a dense tensor, one a class. */
export function sumOfRows(x: Tensor): Tensor {
  const [outer, classes, inner] = x.shape;
  const ofInner = blockedSum(reshape(x, [outer * classes, inner, 1]));
  return reshape(blockedSum(reshape(ofInner, [1, outer, classes])), [classes]);
}

/** The sum of all elements. */
export function total(x: Tensor): Scalar {
  return reshape(blockedSum(reshape(x, [1, x.size, 1])), []) as Scalar;
}
