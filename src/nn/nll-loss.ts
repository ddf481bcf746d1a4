import type { Tensor } from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import type { LossOf, NLLLossOptions, Reduction } from '../contract/options';
import { nllLoss } from '../functional/nll-loss';
import { NLL_LOSS_DEFAULTS, readOptions } from '../functional/read-options';
import { optionsOf, WeightedLoss } from './weighted-loss';

/**
 * `torch.nn.NLLLoss`: a criterion that holds the options of {@link nllLoss}, which has the formula, the shapes and the errors
 * of a call.
 *
 * The options are checked once, when it is made, and are readonly fields then. Class weights are copied to each backend that
 * they are used on, and stay there until {@link dispose}; no `tidy` takes them.
 *
 * @typeParam R The reduction: `forward` gives a scalar unless it is `'none'`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { LogSoftmax, NLLLoss } from 'tfjs-cross-entropy';
 *
 * const criterion = new NLLLoss({ ignoreIndex: 0 });
 * const logProbs = new LogSoftmax(1).forward(tf.tensor2d([[2, 1, 0], [0, 0, 3]]));
 * criterion.forward(logProbs, tf.tensor1d([0, 2], 'int32')).print(); // 0.0949, of the second row alone
 * ```
 *
 * @see {@link nllLoss} for a single call: the same, without an object to dispose of.
 * @see {@link CrossEntropyLoss} where the model gives logits.
 * @see [torch.nn.NLLLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html), whose semantics these are.
 */
export class NLLLoss<R extends Reduction = 'mean'> extends WeightedLoss<R> {
  /**
   * @param options See {@link NLLLossOptions}.
   * @throws RangeError for an `ignoreIndex` outside of int32; TypeError for an option that is not known or of a wrong type;
   *     Error for a `weight` that is not `[C]` and an unknown `reduction`.
   */
  constructor(options: NLLLossOptions<R> = {}) {
    super('NLLLoss', readOptions(options, NLL_LOSS_DEFAULTS, 'NLLLoss'));
  }

  /**
   * The loss of log-probabilities against class indices, in PyTorch's order: see {@link nllLoss}.
   *
   * @param input Log-probabilities, float32: `[C]`, `[N, C]` or `[N, C, d1, ..., dK]`.
   * @param target Class indices, int32, of the input's shape without the class dimension.
   * @returns A scalar in nats; with the reduction `'none'` a tensor of the target's shape.
   * @throws Error once it is disposed, TypeError where it is torn off its criterion, and what {@link nllLoss} throws.
   */
  forward<T extends AnyTensor = Tensor>(input: T, target: AnyTensor): LossOf<R, T> {
    return nllLoss(input, target, optionsOf(this));
  }
}
