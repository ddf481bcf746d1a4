import { div, exp, log, max, mul, sub, type Tensor } from '@tensorflow/tfjs-core';
import { inClassView } from '../../contract/formulas';
import type { Kernels } from '../../contract/kernels';
import { blockedSum } from '../../contract/sum';

type Softmax = Kernels<unknown>;

/** `x - max`, `exp(x - max)` and its sum for each row of a dense tensor. */
export function exponentials(x: Tensor) {
  const rowMax = max(x, 1, true);
  const shifted = sub(x, rowMax);
  const exps = exp(shifted);
  return { rowMax, shifted, exps, sumExp: blockedSum(exps) };
}

export const logSoftmax: Softmax['LogSoftmaxDim'] = ({ x }, attrs) =>
  inClassView([x] as Tensor[], attrs.dim, (logits) => {
    const { shifted, sumExp } = exponentials(logits);
    return sub(shifted, log(sumExp));
  });

export const logSoftmaxGrad: Softmax['LogSoftmaxDimGrad'] = ({ dy, x }, attrs) =>
  inClassView([dy, x] as Tensor[], attrs.dim, (g, logits) => {
    const { exps, sumExp } = exponentials(logits);
    return sub(g, mul(exps, div(blockedSum(g), sumExp)));
  });

export const softmax: Softmax['SoftmaxDim'] = ({ x }, attrs) =>
  inClassView([x] as Tensor[], attrs.dim, (logits) => {
    const { exps, sumExp } = exponentials(logits);
    return div(exps, sumExp);
  });

export const softmaxGrad: Softmax['SoftmaxDimGrad'] = ({ dy, y }, attrs) =>
  inClassView([dy, y] as Tensor[], attrs.dim, (g, p) => mul(p, sub(g, blockedSum(mul(g, p)))));
