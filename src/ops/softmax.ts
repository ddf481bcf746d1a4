import { engine, mul, neg, registerGradient, sub, type Tensor } from '@tensorflow/tfjs-core';
import { inClassView } from '../contract/formulas';
import type { KernelName, SoftmaxAttrs } from '../contract/kernels';
import { blockedSum } from '../contract/sum';
import { runOp, runSaving } from './run-op';
import { recall, saveForGradient } from './tape';

/** `x - logsumexp(x)` along `dim`, which core's own LogSoftmax knows as the last one only. */
export function logSoftmaxOp<T extends Tensor>(x: T, attrs: SoftmaxAttrs): T {
  return runSaving('LogSoftmaxDim', { x }, attrs);
}

/** `exp(x - logsumexp(x))` along `dim`. */
export function softmaxOp<T extends Tensor>(x: T, attrs: SoftmaxAttrs): T {
  const y = runOp<T>('SoftmaxDim', { x }, attrs);
  if (engine().isTapeOn()) saveForGradient({ x, y });
  return y;
}

/** `dy - softmax(x) * sum(dy)`. From `x`, not from the output: `exp(logProb)` loses digits of small probabilities. */
function logSoftmaxGrad(dy: Tensor, x: Tensor, attrs: SoftmaxAttrs): Tensor {
  return runSaving('LogSoftmaxDimGrad', { dy, x }, attrs);
}

/**
 * `y * (dy - sum(dy * y))`. Kernels need only the output `y`; `x` is there for the second derivative, since what was
 * saved of a kernel's outputs is cut off from TensorFlow.js's tape.
 */
function softmaxGrad(dy: Tensor, x: Tensor, y: Tensor, attrs: SoftmaxAttrs): Tensor {
  return runSaving('SoftmaxDimGrad', { dy, x, y }, attrs);
}

/** `v` less its mean under the distribution `p` of each row: the derivative of `p` along `v` is `p * centred(v, p)`. */
export function centred(v: Tensor, p: Tensor): Tensor {
  return sub(v, blockedSum(mul(v, p)));
}

type Saved = Record<'x' | 'y' | 'dy', Tensor>;
type Grads = (upstream: Tensor, saved: Saved, attrs: SoftmaxAttrs) => Record<string, () => Tensor>;

function gradient(kernelName: KernelName, grads: Grads) {
  registerGradient({
    kernelName,
    gradFunc: (upstream, saved, attrs) =>
      grads(upstream as Tensor, recall(saved) as Saved, attrs as unknown as SoftmaxAttrs),
  });
}

gradient('LogSoftmaxDim', (dy, { x }, attrs) => ({ x: () => logSoftmaxGrad(dy, x, attrs) }));

gradient('LogSoftmaxDimGrad', (v, { dy, x }, attrs) => ({
  dy: () => inClassView([v, softmaxOp(x, attrs)], attrs.dim, centred),
  x: () =>
    inClassView([v, dy, softmaxOp(x, attrs)], attrs.dim, (v, dy, p) => neg(mul(blockedSum(dy), mul(p, centred(v, p))))),
}));

gradient('SoftmaxDim', (dy, { x, y }, attrs) => ({ x: () => softmaxGrad(dy, x, y, attrs) }));

gradient('SoftmaxDimGrad', (v, { dy, x, y }, attrs) => ({
  dy: () => softmaxGrad(v, x, y, attrs),
  x: () => {
    const byY = inClassView([v, dy, softmaxOp(x, attrs)], attrs.dim, (v, dy, p) =>
      sub(mul(v, centred(dy, p)), mul(dy, blockedSum(mul(v, p)))),
    );
    return softmaxGrad(byY, x, y, attrs);
  },
}));
