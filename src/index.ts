/**
 * PyTorch's NLLLoss and CrossEntropyLoss for TensorFlow.js. Importing this module registers the ops' kernels and
 * gradients in TensorFlow.js's registries.
 *
 * @packageDocumentation
 */

export type { AnyTensor } from './contract/any-tensor';
export type {
  ClassWeight,
  CrossEntropyOptions,
  LossOf,
  LossWithStats,
  NLLLossOptions,
  Reduction,
} from './contract/options';
export { crossEntropy, crossEntropyWithStats } from './functional/cross-entropy';
export { nllLoss } from './functional/nll-loss';
export { logSoftmax, softmax } from './functional/softmax';
export { CrossEntropyLoss } from './nn/cross-entropy-loss';
export { NLLLoss } from './nn/nll-loss';
export { LogSoftmax, Softmax, type SoftmaxOptions } from './nn/softmax';
