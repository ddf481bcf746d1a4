import type { Tensor } from '@tensorflow/tfjs-core';
import type { CrossEntropyOptions, Reduction } from '../contract/options';
import { crossEntropy } from '../functional/cross-entropy';
import { expected } from '../functional/errors';
import { nllLoss } from '../functional/nll-loss';
import { CrossEntropyLoss } from '../nn/cross-entropy-loss';
import type { NLLLoss } from '../nn/nll-loss';

/** What can be made a loss of Layers: a `CrossEntropyLoss` or an `NLLLoss`. */
export type Criterion = CrossEntropyLoss<Reduction> | NLLLoss<Reduction>;

/** What trains where Layers' own cross-entropy was asked for, and measures where no criterion was named. */
export const DEFAULT = new CrossEntropyLoss();

/** By its shape: a criterion may come from another copy of this package, e.g. the CommonJS one. */
export function isCriterion(x: unknown): x is Criterion {
  const { forward, reduction, linearWeight } = (x ?? {}) as Partial<Criterion & { linearWeight: object }>;
  // A linear loss takes what comes before the logits, which is no output of a model.
  return typeof forward === 'function' && typeof reduction === 'string' && !linearWeight;
}

export function checkCriterion(x: unknown): asserts x is Criterion {
  if (!isCriterion(x)) throw expected('`criterion`', 'a CrossEntropyLoss or an NLLLoss', x);
}

export function isCrossEntropy(criterion: Criterion): criterion is CrossEntropyLoss<Reduction> {
  return 'labelSmoothing' in criterion;
}

export function classNameOf(criterion: Criterion): 'CrossEntropyLoss' | 'NLLLoss' {
  return isCrossEntropy(criterion) ? 'CrossEntropyLoss' : 'NLLLoss';
}

/** The function that the criterion is the class of. */
export function lossFunction(criterion: Criterion): (input: Tensor, target: Tensor, o: CrossEntropyOptions) => Tensor {
  if (isCrossEntropy(criterion)) return crossEntropy;
  return (input, target, { labelSmoothing: _, ...options }) => nllLoss(input, target, options);
}

/** The criterion's options for one call of its function; throws once the criterion is disposed. */
export function optionsOf(criterion: Criterion): CrossEntropyOptions {
  const options = criterion.callOptions();
  return isCrossEntropy(criterion) ? { ...options, labelSmoothing: criterion.labelSmoothing } : options;
}

/** Whether its mean is the mean over the rows that count, each of them alike. */
export function isPlain(criterion: Criterion): boolean {
  return !criterion.callOptions().weight && !(isCrossEntropy(criterion) && criterion.labelSmoothing > 0);
}
