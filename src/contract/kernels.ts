import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import type { Reduction } from './options';

/**
 * What ops and kernels agree on, the same on every backend. Kernels never see ranks: `classView` turns a shape and a
 * class dimension into `[outer, classes, inner]`.
 *
 * **The row record.** The forward kernel of a loss writes four float32 a row, a tensor `[rows, 4]`, or longer where a
 * backend keeps sums of its own behind the rows:
 *
 * | column | |
 * |---|---|
 * | 0 | `max` over the classes |
 * | 1 | `sum of exp(x - max)`; (max, sum) rather than its log keeps accuracy for large logits. On GPUs, what the gradient makes of it: the sum of the coefficients of `-log p`, over that sum |
 * | 2 | the row's loss, weighted; 0 for an ignored row |
 * | 3 | the row's weight: `w[t]`, 0 where ignored, NaN where out of range; with probabilities `sum of q * w`, on GPUs 1 |
 *
 * NLLLoss has no softmax and writes (0, 1) in the first two. The backward kernel reads the record and the inputs;
 * nothing of size rows x classes is kept between the two, or else the gradient itself and nothing more.
 */
export interface LossInputs {
  /** Logits (CrossEntropyLoss) or log-probabilities (NLLLoss), float32. */
  readonly input: TensorInfo;
  /** Class indices, int32, shaped as a row each; or class probabilities, float32, shaped as `input`. */
  readonly target: TensorInfo;
  /** Class weights `[classes]`, or `[0]` for none: TensorFlow.js cannot save an optional input for the gradient. */
  readonly weight: TensorInfo;
}

export interface LossAttrs {
  /** The class dimension, from 0. */
  readonly dim: number;
  readonly ignoreIndex: number;
  readonly reduction: Reduction;
  /** 0 for NLLLoss. */
  readonly labelSmoothing: number;
  /** Whether the gradient kernel may be run: else the loss kernel may give the loss and nothing more. */
  readonly records?: boolean;
  /** Given where the gradient of a scalar loss by its input will be wanted, but no derivative of that. */
  readonly along?: Along;
}

/**
 * What a kernel computes along with the loss, if that is cheaper and its backend's data is at hand: the gradient by the
 * input for an upstream gradient of 1.
 */
export interface Along {
  gradient?: TensorInfo;
}

/**
 * `[loss, record, divisor]`. `divisor` is the scalar that the sum over rows was divided by, 1 unless `reduction` is
 * `'mean'`, so that the backward need not know reductions.
 */
export type LossOutputs = [loss: TensorInfo, record: TensorInfo, divisor: TensorInfo] | [loss: TensorInfo];

export interface LossGradInputs extends LossInputs {
  /** Upstream gradient: a scalar, or one value a row when `reduction` is `'none'`. */
  readonly dy: TensorInfo;
  readonly record: TensorInfo;
  readonly divisor: TensorInfo;
  /** What the loss kernel put into `along`, to be multiplied by `dy`. Only `dy` is there besides. */
  readonly gradient?: TensorInfo;
}

export interface SoftmaxAttrs {
  readonly dim: number;
}

/** A backend's kernels, by name. Gradients have the shape of the input they belong to. */
export interface Kernels<Backend> {
  NLLLoss(inputs: LossInputs, attrs: LossAttrs, backend: Backend): LossOutputs;
  NLLLossGrad(inputs: LossGradInputs, attrs: LossAttrs, backend: Backend): TensorInfo;
  CrossEntropyLoss(inputs: LossInputs, attrs: LossAttrs, backend: Backend): LossOutputs;
  CrossEntropyLossGrad(inputs: LossGradInputs, attrs: LossAttrs, backend: Backend): TensorInfo;
  LogSoftmaxDim(inputs: { x: TensorInfo }, attrs: SoftmaxAttrs, backend: Backend): TensorInfo;
  LogSoftmaxDimGrad(inputs: { dy: TensorInfo; x: TensorInfo }, attrs: SoftmaxAttrs, backend: Backend): TensorInfo;
  SoftmaxDim(inputs: { x: TensorInfo }, attrs: SoftmaxAttrs, backend: Backend): TensorInfo;
  /** `x` is there for the second derivative; kernels need not look at it. */
  SoftmaxDimGrad(
    inputs: { dy: TensorInfo; x: TensorInfo; y: TensorInfo },
    attrs: SoftmaxAttrs,
    backend: Backend,
  ): TensorInfo;
}

/** The inputs of a kernel as the tensors that the engine in fact passes. */
export type Tensors<Inputs> = { readonly [Name in keyof Inputs]: Tensor };

export type KernelName = keyof Kernels<unknown>;
