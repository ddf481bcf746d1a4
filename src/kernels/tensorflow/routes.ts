import type { ClassView } from '../../contract/class-view';

/**
 * From where on TensorFlow's own operations are faster than the kernels on the host, the copy that they read included:
 * its threads win on long contiguous rows, but what has to be done for each row costs more there, and what it reduces
 * and broadcasts along a middle dimension takes several times as long. Measured with TensorFlow 2.21 by
 * `bench/routes.ts`, and to be measured again for another one.
 */
export const routes = { size: 2 ** 20, classes: 512 };

export function isLarge({ classes, rows }: ClassView): boolean {
  return rows * classes > routes.size;
}

export function isNative(view: ClassView): boolean {
  return view.inner === 1 && view.classes >= routes.classes && isLarge(view);
}
