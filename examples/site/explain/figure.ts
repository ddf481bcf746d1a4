import * as tf from '@tensorflow/tfjs';
import { crossEntropy, logSoftmax, nllLoss, softmax } from 'tfjs-cross-entropy';
import type { Settings } from './settings';

/** All numbers of the figure. */
export interface Figure {
  readonly softmax: number[][];
  readonly logSoftmax: number[][];
  /** The log-probability at each row's target. */
  readonly picked: number[];
  /** Whether a row counts: its target is not ignored. */
  readonly live: boolean[];
  /** What the target asks for, as probabilities: one-hot, smoothed. */
  readonly asked: number[][];
  /** `NLLLoss` of the log-probabilities, a value a row and reduced. */
  readonly nllRows: number[];
  readonly nll: number;
  /** The same with label smoothing, which only `CrossEntropyLoss` has: equal to `nll` where there is none. */
  readonly rows: number[];
  readonly loss: number;
  /** What the sum of `rows` is divided by. */
  readonly divisor: number;
  /** Of `loss`, by the logits. */
  readonly gradient: number[][];
}

/** Computes the figure with the library, on the active backend, which has to be one with synchronous reads. */
export function figureOf({ logits, target, dim, labelSmoothing, weight, ignoreIndex, reduction }: Settings): Figure {
  return tf.tidy(() => {
    const x = tf.tensor2d(logits as number[][]);
    const t = tf.tensor1d(target as number[], 'int32');
    const classes = logits[0].length;
    const options = { weight: [...weight], ...(ignoreIndex !== null && { ignoreIndex }) };
    const smoothing = dim === 1 ? labelSmoothing : 0;

    // Over dim 0 there is no CrossEntropyLoss of rows: the article takes these log-probabilities to NLLLoss.
    const lossOf = <R extends 'mean' | 'sum' | 'none'>(x: tf.Tensor, reduction: R) =>
      dim === 1
        ? crossEntropy(x, t, { ...options, reduction, labelSmoothing: smoothing })
        : nllLoss(logSoftmax(x, 0), t, { ...options, reduction });

    const logProbs = logSoftmax(x, dim) as tf.Tensor2D;
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => lossOf(x, reduction) as tf.Scalar)(x);
    const logProbRows = logProbs.arraySync();
    const live = target.map((c) => c !== ignoreIndex);
    const weights = target.map((c, row) => (live[row] ? weight[c] : 0));
    return {
      softmax: softmax(x, dim).arraySync() as number[][],
      logSoftmax: logProbRows,
      picked: target.map((c, row) => logProbRows[row][c]),
      live,
      asked: target.map((t) =>
        Array.from({ length: classes }, (_, c) => (c === t ? 1 - smoothing : 0) + smoothing / classes),
      ),
      nllRows: Array.from(nllLoss(logProbs, t, { ...options, reduction: 'none' }).dataSync()),
      nll: nllLoss(logProbs, t, { ...options, reduction }).dataSync()[0],
      rows: Array.from(lossOf(x, 'none').dataSync()),
      loss: value.dataSync()[0],
      divisor: reduction === 'mean' ? weights.reduce((a, b) => a + b, 0) : 1,
      gradient: grad.arraySync() as number[][],
    };
  });
}
