import { mul, neg, registerGradient, sub, sum, type Tensor, zerosLike } from '@tensorflow/tfjs-core';
import { inClassView } from '../contract/formulas';
import type { KernelName, SoftmaxAttrs } from '../contract/kernels';
import { runOp } from './run-op';

/** `x - logsumexp(x)` along `dim`, which core's own LogSoftmax knows as the last one only. */
export function logSoftmaxOp<T extends Tensor>(x: T, attrs: SoftmaxAttrs): T {
  return runOp('LogSoftmaxDim', { x }, attrs);
}

/** `exp(x - logsumexp(x))` along `dim`. */
export function softmaxOp<T extends Tensor>(x: T, attrs: SoftmaxAttrs): T {
  return runOp('SoftmaxDim', { x }, attrs);
}

/** `dy - softmax(x) * sum(dy)`. From `x`, not from the output: `exp(logProb)` loses digits of small probabilities. */
function logSoftmaxGrad(dy: Tensor, x: Tensor, attrs: SoftmaxAttrs): Tensor {
  return runOp('LogSoftmaxDimGrad', { dy, x }, attrs);
}

/**
 * `y * (dy - sum(dy * y))`. Kernels need only the output `y`; `x` is there for the second derivative, since what
 * TensorFlow.js saves of a kernel's outputs is cut off from its tape.
 */
function softmaxGrad(dy: Tensor, x: Tensor, y: Tensor, attrs: SoftmaxAttrs): Tensor {
  return runOp('SoftmaxDimGrad', { dy, x, y }, attrs);
}

/** `v` less its mean under the distribution `p` of each row: how a softmax turns with its input. */
export function centred(v: Tensor, p: Tensor): Tensor {
  return sub(v, sum(mul(v, p), 1, true));
}

type Grads = (dy: Tensor, saved: Tensor[], attrs: SoftmaxAttrs) => Record<string, () => Tensor>;

function gradient(kernelName: KernelName, save: { inputsToSave?: string[]; outputsToSave?: boolean[] }, grads: Grads) {
  const gradFunc = (dy: Tensor | Tensor[], saved: Tensor[], attrs: unknown) =>
    grads(dy as Tensor, saved, attrs as SoftmaxAttrs);
  registerGradient({ kernelName, ...save, gradFunc });
}

gradient('LogSoftmaxDim', { inputsToSave: ['x'] }, (dy, [x], attrs) => ({ x: () => logSoftmaxGrad(dy, x, attrs) }));

gradient('LogSoftmaxDimGrad', { inputsToSave: ['dy', 'x'] }, (dy2, [dy, x], attrs) => ({
  dy: () => inClassView([dy2, softmaxOp(x, attrs)], attrs.dim, centred),
  x: () =>
    inClassView([dy2, dy, softmaxOp(x, attrs)], attrs.dim, (v, g, p) =>
      neg(mul(sum(g, 1, true), mul(p, centred(v, p)))),
    ),
}));

gradient('SoftmaxDim', { inputsToSave: ['x'], outputsToSave: [true] }, (dy, [x, y], attrs) => ({
  x: () => softmaxGrad(dy, x, y, attrs),
}));

gradient('SoftmaxDimGrad', { inputsToSave: ['dy', 'x', 'y'] }, (dy2, [dy, x, y], attrs) => ({
  dy: () => softmaxGrad(dy2, x, y, attrs),
  x: () => {
    const byY = inClassView([dy2, dy, softmaxOp(x, attrs)], attrs.dim, (v, g, p) =>
      sub(mul(v, centred(g, p)), mul(g, sum(mul(v, p), 1, true))),
    );
    return softmaxGrad(byY, x, y, attrs);
  },
  y: () => zerosLike(y),
}));
