/**
 * PyTorch's NLLLoss and CrossEntropyLoss for TensorFlow.js. Importing this module registers the ops' kernels and
 * gradients in TensorFlow.js's registries.
 *
 * | you have                        | a single call          | options that stay          |
 * | ------------------------------- | ---------------------- | -------------------------- |
 * | logits                          | {@link crossEntropy}   | {@link CrossEntropyLoss}   |
 * | logits, and want accuracy too   | {@link crossEntropyWithStats} | `forwardWithStats` of {@link CrossEntropyLoss} |
 * | hidden states, before a linear layer | {@link linearCrossEntropy} | {@link LinearCrossEntropyLoss} |
 * | log-probabilities               | {@link nllLoss}        | {@link NLLLoss}            |
 * | logits, and want log-probabilities | {@link logSoftmax}  | {@link LogSoftmax}         |
 * | logits, and want probabilities  | {@link softmax}        | {@link Softmax}            |
 *
 * @module tfjs-cross-entropy
 */

export type { AnyTensor, ResultOf, ScalarOf } from './contract/any-tensor';
export type {
  ClassWeight,
  CrossEntropyConfig,
  CrossEntropyOptions,
  LinearCrossEntropyConfig,
  LinearCrossEntropyLossOptions,
  LinearCrossEntropyOptions,
  LinearLossOptions,
  LossOf,
  LossWithStats,
  NLLLossConfig,
  NLLLossOptions,
  Reduction,
} from './contract/options';
export { crossEntropy, crossEntropyWithStats } from './functional/cross-entropy';
export { linearCrossEntropy } from './functional/linear-cross-entropy';
export { nllLoss } from './functional/nll-loss';
export { logSoftmax, softmax } from './functional/softmax';
export { CrossEntropyLoss } from './nn/cross-entropy-loss';
export { LinearCrossEntropyLoss } from './nn/linear-cross-entropy-loss';
export { NLLLoss } from './nn/nll-loss';
export { LogSoftmax, Softmax, type SoftmaxOptions } from './nn/softmax';
