import {
  equal,
  logicalAnd,
  logicalNot,
  max,
  notEqual,
  ones,
  reshape,
  scalar,
  sub,
  type Tensor,
  util,
  where,
  zeros,
} from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../contract/class-view';
import { dense, detached, rowsWithAny } from '../contract/formulas';
import type { Reduction } from '../contract/options';
import { total } from '../contract/sum';
import { crossEntropyLossOp } from './cross-entropy-loss';
import type { LossAndStats, LossTensors } from './loss';

type Attrs = Parameters<typeof crossEntropyLossOp>[1];

/** The cross-entropy, and `Stats` if they are wanted, whatever the target. */
export function lossAndStats(inputs: LossTensors, attrs: Attrs): LossAndStats {
  if (attrs.target === 'indices') return crossEntropyLossOp(inputs, attrs);
  const { input, target } = inputs;
  const [loss] = crossEntropyLossOp(inputs, { ...attrs, stats: false });
  return [loss, ...(attrs.stats ? probabilityStats(input, target, attrs.dim, attrs.reduction) : [])] as LossAndStats;
}

/** `Stats` of probability targets: whether a class with the largest logit is also one of the most probable. */
export function probabilityStats(input: Tensor, target: Tensor, dim: number, reduction: Reduction): Tensor[] {
  const shape = rowShape(input.shape, dim);
  const isCorrect = () => {
    // In the class view: WebGL knows no `where` beyond rank 4.
    const view = classView(input.shape, dim);
    const [x, q] = [input, target].map((x) => dense(detached(x), view)).map((x) => sub(x, max(x, 1, true)));
    const isMatch = rowsWithAny(logicalAnd(equal(x, 0), equal(q, 0)));
    const isCorrect = logicalAnd(isMatch, logicalNot(rowsWithAny(notEqual(x, x))));
    return reshape(where(isCorrect, scalar(1), scalar(0)), shape);
  };
  const correct = input.size > 0 ? isCorrect() : zeros(shape); // not every backend's ops bear nothing
  if (reduction === 'none') return [correct, ones(shape)];
  return [total(correct), scalar(util.sizeFromShape(shape))];
}
