import type { Tensor } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { ClassWeight, LossOf, NLLLossConfig, NLLLossOptions, Reduction } from '../contract/options';
import { checkInteger } from '../functional/checks';
import type { ReadOptions } from '../functional/read-options';
import { KeptWeight } from './class-weight';
import { explainInCompile } from './plain-compile';

type StoredWeight = NonNullable<NLLLossConfig['weight']>;

/** Options as the constructor takes them, or as `getConfig` gives them. */
export type Config<Options> = Omit<NonNullable<Options>, 'weight'> & {
  readonly weight?: ClassWeight | StoredWeight | null;
};

/** What the losses with class weights have in common: their options, read as PyTorch reads them, and their lifetime. */
export abstract class WeightedLoss<R extends Reduction> {
  private readonly className: string;
  /** The class index whose rows contribute nothing. */
  readonly ignoreIndex: number;
  /** `'mean'`, `'sum'` or `'none'`. */
  readonly reduction: R;
  /** The class dimension, or `undefined` for PyTorch's: 1, and 0 for an unbatched input. */
  readonly dim: number | undefined;
  private readonly keptWeight: KeptWeight | null;
  private disposed = false;

  constructor(className: string, { weight, ignoreIndex, reduction, dim }: ReadOptions<R>) {
    if (dim !== undefined) checkInteger(dim, 'dim');
    this.className = className;
    this.ignoreIndex = ignoreIndex;
    this.reduction = reduction;
    this.dim = dim;
    this.keptWeight = weight == null ? null : new KeptWeight(weight); // other than null, '' has to be refused
    explainInCompile();
  }

  /**
   * A copy of the class weights on the host, or `null`. Those of a tensor are read now, which waits for a GPU; `forward`
   * never reads them.
   *
   * @throws Error once the criterion is disposed, unless they were read before.
   */
  get weight(): Float32Array | null {
    return this.keptWeight && (this.keptWeight.values ?? this.fail());
  }

  /**
   * The loss of `input` against `target`, in PyTorch's order, in nats.
   *
   * @throws TypeError where it is not called on its criterion, and Error once that is disposed; besides what the function
   *     of the same options throws.
   */
  abstract forward<T extends AnyTensor = Tensor>(input: T, target: AnyTensor): LossOf<R, T>;

  /** The options as plain JSON, from which `fromConfig` makes the same criterion. */
  getConfig(): NLLLossConfig<R> {
    const { weight, ignoreIndex, reduction, dim } = this;
    return {
      weight: weight && Array.from(weight, (w) => (Number.isFinite(w) ? w : (String(w) as StoredWeight[number]))),
      ignoreIndex,
      reduction,
      ...(dim !== undefined && { dim }),
    };
  }

  /**
   * A criterion of this class, or of the subclass that this is called on.
   *
   * @param config What `getConfig` gives, as it is or after a way through JSON.
   * @throws What the constructor throws.
   */
  static fromConfig<T, Options>(this: new (options: Options) => T, config: Config<Options>): T {
    return new this(optionsFrom(config));
  }

  /** Frees the class weights' copies on the backends. The criterion cannot be used afterwards; twice does no harm. */
  dispose(): void {
    this.keptWeight?.dispose();
    this.disposed = true;
  }

  /**
   * The options for one call of the function, with the weight as a tensor on the active backend, which remains the
   * criterion's. For adaptors such as `tfjs-cross-entropy/layers`.
   *
   * @throws Error once the criterion is disposed.
   */
  callOptions(): NLLLossOptions<R> {
    if (this.disposed) this.fail();
    const { ignoreIndex, reduction, dim } = this;
    return { weight: this.keptWeight?.tensor(), ignoreIndex, reduction, dim };
  }

  private fail(): never {
    throw new Error(`This ${this.className} is disposed. Make a new one with fromConfig().`);
  }
}

/** The options for a call of `forward`, which may have been torn off its criterion. */
export function optionsOf<R extends Reduction>(criterion: WeightedLoss<R> | undefined): NLLLossOptions<R> {
  if (criterion instanceof WeightedLoss) return criterion.callOptions();
  throw new TypeError(
    'Expected `forward` to be called as criterion.forward(input, target); Layers takes layersLoss(criterion).',
  );
}

/** Options as they were before `getConfig`. */
export function optionsFrom<Options>(config: Config<Options>): Options {
  if (!Array.isArray(config?.weight)) return config as Options;
  const weight = config.weight.map((w) => (String(Number(w)) === w ? Number(w) : w));
  return { ...config, weight } as unknown as Options;
}
