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
 * | 0 | `max` of the row's logits; where they have no softmax 0, or NaN |
 * | 1 | `mass / sum`: the sum of the coefficients of `-log p` over the sum of `exp(x - max)`, which is all that the gradient needs of both; 0 if all coefficients are 0, whatever the logits |
 * | 2 | `loss` of the row, weighted; 0 for an ignored row |
 * | 3 | `weight`, what the row adds to the divisor of the mean: `w[t]`, 0 where ignored, NaN where out of range; with probabilities 1 |
 *
 * NLLLoss has no softmax and writes 0 in the first two. The gradient kernel reads the record and the inputs. Any
 * backend's gradient kernel can go on from the record of any other's loss kernel.
 */
export interface LossInputs {
  /** Logits (CrossEntropyLoss) or log-probabilities (NLLLoss), float32. */
  readonly input: TensorInfo;
  /** Class indices, int32, shaped as a row each; or class probabilities, float32, shaped as `input`. */
  readonly target: TensorInfo;
  /** Class weights `[classes]`, or `[0]` for none: TensorFlow.js's tape bears no `null`. */
  readonly weight: TensorInfo;
}

export interface LossAttrs {
  /** The class dimension, from 0. */
  readonly dim: number;
  readonly target: 'indices' | 'probabilities';
  readonly ignoreIndex: number;
  readonly reduction: Reduction;
  /** 0 for NLLLoss. */
  readonly labelSmoothing: number;
  /** What the loss kernel is to give: see `LossOutputs`. */
  readonly wants: 'loss' | 'record' | 'gradient';
  /** Whether it is to give `Stats` as well: CrossEntropyLoss with indices only. */
  readonly stats?: boolean;
  /**
   * Nobody needs the input after the gradient kernel: it may write the gradient over it, and give it back. The loss kernel
   * of the same tensors has run just before, and with it all room is reserved.
   */
  readonly overwrites?: boolean;
  /** What upstream gradient a gradient that is made along with the loss is for: `ops/upstream.ts` says why not always 1. */
  readonly upstream: number;
}

/**
 * What else is known of the rows once their losses are: shaped as the loss, numbers of rows, or 1 or 0 a row. `correct`
 * are those where the logit at the label is the row's maximum (and its softmax exists), `count` those not ignored.
 */
export type Stats = [correct: TensorInfo, count: TensorInfo];

/**
 * By what is wanted:
 *
 * - `'loss'`: nobody differentiates the loss; it alone need be given.
 * - `'record'`: what the gradient kernel needs. `divisor` is the scalar that the sum over rows was divided by, 1 unless
 *   `reduction` is `'mean'`, so that the backward need not know reductions.
 * - `'gradient'`: the gradient of the loss by its input will be wanted, but no derivative of that. A kernel that finds it
 *   cheaply along with the loss gives it, for `upstream`; any other gives the record.
 *
 * Behind them come the `Stats`, if they are wanted.
 */
export type LossOutputs = WantedOutputs | [...WantedOutputs, ...Stats];

type WantedOutputs =
  | [loss: TensorInfo]
  | [loss: TensorInfo, record: TensorInfo, divisor: TensorInfo]
  | [loss: TensorInfo, gradient: TensorInfo];

export interface LossGradInputs extends LossInputs {
  /** Upstream gradient: a scalar, or one value a row when `reduction` is `'none'`. */
  readonly dy: TensorInfo;
  readonly record: TensorInfo;
  readonly divisor: TensorInfo;
}

export interface ScaleGradientInputs {
  /** What a loss kernel gave; nobody else needs it any more, so that it may be scaled in place. */
  readonly gradient: TensorInfo;
  /** The upstream gradient: a scalar, or one value a row when `reduction` is `'none'`. */
  readonly dy: TensorInfo;
  readonly target: TensorInfo;
}

/** Of the product `x weight^T + bias`, which makes logits `[rows, classes]`. */
export interface LinearInputs {
  /** `[rows, features]` */
  readonly x: TensorInfo;
  /** `[classes, features]` */
  readonly weight: TensorInfo;
  /** `[classes]`, or `[0]` for none. */
  readonly bias: TensorInfo;
}

export interface LinearInputGradInputs {
  /** By the logits, `[rows, classes]`. */
  readonly gradient: TensorInfo;
  /** `[classes, features]` */
  readonly weight: TensorInfo;
}

export interface LinearWeightGradInputs {
  /** `[classes, features]`; nobody else needs it, so that it may be added to in place, and given back. */
  readonly sum: TensorInfo;
  /** By the logits, `[rows, classes]`. */
  readonly gradient: TensorInfo;
  /** `[rows, features]` */
  readonly x: TensorInfo;
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
  /** `dy / upstream * gradient`, but NaN times Infinity wherever there is a coefficient, and 0 in ignored rows. */
  ScaleGradient(inputs: ScaleGradientInputs, attrs: LossAttrs, backend: Backend): TensorInfo;
  LinearLogits(inputs: LinearInputs, attrs: object, backend: Backend): TensorInfo;
  /** `gradient weight`. */
  LinearInputGrad(inputs: LinearInputGradInputs, attrs: object, backend: Backend): TensorInfo;
  /** `sum + gradient^T x`. */
  LinearWeightGrad(inputs: LinearWeightGradInputs, attrs: object, backend: Backend): TensorInfo;
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
