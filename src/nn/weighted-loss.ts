import type { Tensor } from '@tensorflow/tfjs-core';
import type { NLLLossOptions, Reduction } from '../contract/options';
import { checkIgnoreIndex, checkOptions, checkReduction } from '../functional/checks';
import { KeptWeight } from './class-weight';

/** What the losses with class weights have in common: their options, read as PyTorch reads them, and their lifetime. */
export abstract class WeightedLoss<Options extends NLLLossOptions> {
  /** tfjs-layers takes a criterion for a dictionary of losses, and names its first field in its error. */
  readonly 'write loss: layersLoss(criterion), of tfjs-cross-entropy/layers' = true;
  private readonly className: string;
  readonly ignoreIndex: number;
  readonly reduction: Reduction;
  /** The class dimension, or `undefined` for PyTorch's: 1, and 0 for an unbatched input. */
  readonly dim: number | undefined;
  private readonly keptWeight: KeptWeight | null;
  private disposed = false;

  constructor(className: string, options: Options, known: readonly string[]) {
    checkOptions(options, known, className);
    this.className = className;
    const { weight, ignoreIndex = -100, reduction = 'mean', dim } = options;
    checkReduction(reduction);
    checkIgnoreIndex(ignoreIndex);
    this.ignoreIndex = ignoreIndex;
    this.reduction = reduction;
    this.dim = dim;
    this.keptWeight = weight == null ? null : new KeptWeight(weight);
  }

  /** The class weights on the host, or `null`. */
  get weight(): Float32Array | null {
    return this.keptWeight?.values ?? null;
  }

  /** The loss of `input` against `target`, in PyTorch's order. */
  abstract forward(input: Tensor, target: Tensor): Tensor;

  /** The options as plain JSON, from which `fromConfig` makes the same criterion. */
  getConfig() {
    const { ignoreIndex, reduction, dim } = this;
    return {
      weight: this.weight && Array.from(this.weight),
      ignoreIndex,
      reduction,
      ...(dim !== undefined && { dim }),
    };
  }

  /** Frees the class weights' copies on the backends. The criterion cannot be used afterwards. */
  dispose(): void {
    this.keptWeight?.dispose();
    this.disposed = true;
  }

  /** The options for one call of the function. */
  protected callOptions(): NLLLossOptions {
    if (this.disposed) throw new Error(`This ${this.className} is disposed. Make a new one with fromConfig().`);
    const { ignoreIndex, reduction, dim } = this;
    return { weight: this.keptWeight?.tensor(), ignoreIndex, reduction, dim };
  }
}
