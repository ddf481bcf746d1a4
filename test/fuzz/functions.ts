import * as tf from '@tensorflow/tfjs';
import {
  CrossEntropyLoss,
  crossEntropy,
  LogSoftmax,
  logSoftmax,
  NLLLoss,
  nllLoss,
  Softmax,
  softmax,
} from 'tfjs-cross-entropy';
import { type FuzzCase, type LossCase, rowShape, type SoftmaxCase } from './problem';
import { type Solution, solveLoss, solveSoftmax } from './reference';

/** A tensor for each result of a case, by the names of `Solution`. */
export type Results = Record<string, tf.Tensor>;

/** What the fuzz knows of a function: to add one, add an entry to `functions` and cases of it to `cases.ts`. */
interface Function<Case> {
  readonly solve: (test: Case) => Solution;
  readonly evaluate: (test: Case) => Results;
}

const functions: { readonly [Kind in FuzzCase['kind']]: Function<Extract<FuzzCase, { kind: Kind }>> } = {
  crossEntropy: { solve: solveLoss, evaluate: evaluateLoss },
  nllLoss: { solve: solveLoss, evaluate: evaluateLoss },
  softmax: { solve: solveSoftmax, evaluate: evaluateSoftmax },
  logSoftmax: { solve: solveSoftmax, evaluate: evaluateSoftmax },
} as never;

const functionOf = ({ kind }: FuzzCase) => functions[kind] as Function<FuzzCase>;

export const solve = (test: FuzzCase): Solution => functionOf(test).solve(test);

/** Every result of a case on the active backend. */
export const evaluate = (test: FuzzCase): Results => functionOf(test).evaluate(test);

const numbers = (values: readonly number[], shape: number[]) => tf.tensor(Float32Array.from(values), shape);

const dimOf = ({ dim, shape, spelling }: FuzzCase) =>
  spelling.dim === 'counted from the start' ? dim : dim - Math.max(shape.length, 1);

/** Leaves by name, the first of them the input, and the function of them. */
function differentiate(
  leaves: Record<string, tf.Tensor>,
  f: (...leaves: tf.Tensor[]) => tf.Tensor,
  dy: tf.Tensor,
  v: tf.Tensor,
) {
  const names = Object.keys(leaves);
  const tensors = Object.values(leaves);
  const first = tf.valueAndGrads(f)(tensors, dy);
  // Under two tapes: `slope` is the gradient again, of a loss whose own gradient is differentiated.
  const slope = (...args: tf.Tensor[]) => {
    const [dy, x, ...rest] = args;
    return tf.grad((x: tf.Tensor) => f(x, ...rest))(x, dy);
  };
  const second = tf.valueAndGrads(slope)([dy, ...tensors], v);
  const named = (prefix: string, grads: tf.Tensor[]) =>
    Object.fromEntries(grads.map((grad, i) => [prefix + names[i], grad]));
  return {
    value: f(...tensors),
    'value, with a gradient': first.value,
    ...named('grad', first.grads),
    'gradInput, differentiated': second.value,
    secondUpstream: second.grads[0],
    ...named('second', second.grads.slice(1)),
  };
}

function evaluateSoftmax(test: SoftmaxCase): Results {
  const { kind, shape, input, upstream, direction, spelling } = test;
  const dim = dimOf(test);
  const f = (x: tf.Tensor): tf.Tensor => {
    if (spelling.by === 'class') return new { softmax: Softmax, logSoftmax: LogSoftmax }[kind](dim).forward(x);
    return { softmax, logSoftmax }[kind](x, dim);
  };
  return differentiate({ Input: numbers(input, shape) }, f, numbers(upstream, shape), numbers(direction, shape));
}

function evaluateLoss(test: LossCase): Results {
  const { kind, shape, input, target, reduction, ignoreIndex, labelSmoothing, upstream, direction, spelling } = test;
  const rows = rowShape(test);
  const Input = numbers(input, shape);
  const dy = numbers(upstream, reduction === 'none' ? rows : []);
  const v = numbers(direction, shape);
  const weight = test.weight && tf.tensor1d(test.weight);
  const f = (x: tf.Tensor, t: tf.Tensor, w: tf.Tensor | null): tf.Tensor => {
    const options = { weight: w && spelled(test, w), ignoreIndex, reduction, dim: dimOf(test) };
    if (spelling.by === 'class') return forward(test, options, x, t);
    return kind === 'nllLoss' ? nllLoss(x, t, options) : crossEntropy(x, t, { ...options, labelSmoothing });
  };
  if ('indices' in target) {
    // Each time anew: on WebGL labels beyond 2^24 are rounded where an op of another kind has uploaded them before.
    const labels = () => tf.tensor(Int32Array.from(target.indices), rows, 'int32');
    return differentiate({ Input }, (x) => f(x, labels(), weight), dy, v);
  }
  const Target = numbers(target.probabilities, shape);
  // No derivative runs through the weight of a class, or through an array.
  if (weight && spelling.by === 'function') {
    return differentiate({ Input, Target, Weight: weight }, f, dy, v);
  }
  return differentiate({ Input, Target }, (x, t) => f(x, t, weight), dy, v);
}

function forward({ kind, labelSmoothing }: LossCase, options: object, x: tf.Tensor, t: tf.Tensor): tf.Tensor {
  const criterion = kind === 'nllLoss' ? new NLLLoss(options) : new CrossEntropyLoss({ ...options, labelSmoothing });
  try {
    return criterion.forward(x, t) as tf.Tensor;
  } finally {
    criterion.dispose();
  }
}

/** The weight as an array where nobody asks for its derivative. */
function spelled({ spelling, target, weight }: LossCase, tensor: tf.Tensor) {
  const needsTensor = spelling.by === 'function' && !('indices' in target);
  if (needsTensor || spelling.weight === 'tensor') return tensor as tf.Tensor1D;
  return spelling.weight === 'array' ? weight! : Float32Array.from(weight!);
}
