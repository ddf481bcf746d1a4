/**
 * Throws PyTorch's error for a class index that is neither a class nor `ignoreIndex`. For kernels that have the
 * target's data at hand; where it lives on a GPU, the row's loss becomes NaN instead.
 */
export function checkTargets(target: ArrayLike<number>, classes: number, ignoreIndex: number): void {
  for (let r = 0; r < target.length; r++) {
    const t = target[r];
    if ((t < 0 || t >= classes) && t !== ignoreIndex) {
      throw new RangeError(
        `Target ${t} is out of bounds. Expected class indices from 0 to ${classes - 1}, or ignoreIndex (${ignoreIndex}).`,
      );
    }
  }
}
