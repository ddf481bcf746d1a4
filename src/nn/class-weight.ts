import { backend, type KernelBackend, keep, Tensor, type Tensor1D, tensor1d } from '@tensorflow/tfjs-core';
import type { ClassWeight } from '../contract/options';
import { weightShape } from '../functional/checks';

/**
 * The class weights of a criterion, which outlive whatever the caller does: their numbers are kept on the host, and on
 * each backend that they are used on a copy out of reach of any `tidy` and any `setBackend`.
 */
export class KeptWeight {
  readonly values: Float32Array;
  private readonly copies = new Map<KernelBackend, Tensor1D>();

  constructor(weight: ClassWeight) {
    const shape = weightShape(weight);
    if (shape.length !== 1) throw new Error(`Expected \`weight\` to be of shape [C], got [${shape.join(', ')}].`);
    this.values = Float32Array.from(weight instanceof Tensor ? weight.dataSync() : weight);
  }

  /** The weights on the active backend. */
  tensor(): Tensor1D {
    const active = backend();
    let copy = this.copies.get(active);
    if (!copy) {
      copy = keep(tensor1d(this.values));
      this.copies.set(active, copy);
    }
    return copy;
  }

  dispose(): void {
    for (const copy of this.copies.values()) copy.dispose();
    this.copies.clear();
  }
}
