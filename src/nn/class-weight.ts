import { backend, engine, type KernelBackend, keep, Tensor, type Tensor1D, tensor1d } from '@tensorflow/tfjs-core';
import type { ClassWeight } from '../contract/options';
import { weightShape } from '../functional/checks';

/**
 * The class weights of a criterion, which outlive whatever the caller does: a copy on each backend that they are used on,
 * out of reach of any `tidy`, `dispose` or `setBackend`. Those of a tensor are read when somebody asks for them, or when
 * they are used on another backend, and no sooner: reading waits for a GPU.
 */
export class KeptWeight {
  private readonly copies = new Map<KernelBackend, Tensor1D>();
  private read: Float32Array | undefined;

  constructor(weight: ClassWeight) {
    const shape = weightShape(weight);
    if (shape.length !== 1) throw new Error(`Expected \`weight\` to be of shape [C], got [${shape.join(', ')}].`);
    if (weight instanceof Tensor) {
      // The same data once more, where it lies, as a tensor of our own; no derivative runs through it.
      const { backend } = engine().state.tensorInfo.get(weight.dataId)!;
      backend.incRef(weight.dataId);
      this.copies.set(backend, keep(engine().makeTensorFromTensorInfo(weight, backend)) as Tensor1D);
    } else {
      this.read = new Float32Array(weight as number[]);
    }
  }

  /** A copy of the weights on the host; `undefined` if they were disposed of unread. */
  get values(): Float32Array | undefined {
    const [copy] = this.copies.values();
    this.read ??= copy?.dataSync<'float32'>();
    return this.read?.slice();
  }

  /** The weights on the active backend. */
  tensor(): Tensor1D {
    const active = backend();
    let copy = this.copies.get(active);
    if (!copy) {
      copy = keep(tensor1d(this.values!));
      this.copies.set(active, copy);
    }
    return copy;
  }

  dispose(): void {
    for (const copy of this.copies.values()) copy.dispose();
    this.copies.clear();
  }
}
