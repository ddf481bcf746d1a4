import * as tf from '@tensorflow/tfjs';
import {
  CrossEntropyLoss,
  crossEntropy,
  crossEntropyWithStats,
  LinearCrossEntropyLoss,
  LogSoftmax,
  linearCrossEntropy,
  logSoftmax,
  NLLLoss,
  nllLoss,
  Softmax,
  softmax,
} from 'tfjs-cross-entropy';
import { type FuzzCase, type LinearCase, type LossCase, rowShape, type SoftmaxCase } from './problem';
import { type Cancelling, type Solution, solveLinear, solveLoss, solveSoftmax } from './reference';

/** A tensor for each result of a case, by the names of `Solution`. */
export type Results = Record<string, tf.Tensor>;

/** What the fuzz knows of a function: to add one, add an entry to `functions` and cases of it to `cases.ts`. */
interface Function<Case> {
  readonly solve: (test: Case, cancelling?: Cancelling) => Solution;
  readonly evaluate: (test: Case) => Results;
}

const functions: { readonly [Kind in FuzzCase['kind']]: Function<Extract<FuzzCase, { kind: Kind }>> } = {
  crossEntropy: { solve: solveLoss, evaluate: evaluateLoss },
  nllLoss: { solve: solveLoss, evaluate: evaluateLoss },
  softmax: { solve: solveSoftmax, evaluate: evaluateSoftmax },
  logSoftmax: { solve: solveSoftmax, evaluate: evaluateSoftmax },
  linearCrossEntropy: { solve: solveLinear, evaluate: evaluateLinear },
} as never;

const functionOf = ({ kind }: FuzzCase) => functions[kind] as Function<FuzzCase>;

export const solve = (test: FuzzCase, cancelling?: Cancelling): Solution => functionOf(test).solve(test, cancelling);

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
    return {
      ...differentiate({ Input }, (x) => f(x, labels(), weight), dy, v),
      ...withStats(test, Input, labels, weight, dy),
    };
  }
  const Target = numbers(target.probabilities, shape);
  const stats = withStats(test, Input, () => Target, weight, dy);
  // No derivative runs through the weight of a class, or through an array.
  if (weight && spelling.by === 'function') {
    return { ...differentiate({ Input, Target, Weight: weight }, f, dy, v), ...stats };
  }
  return { ...differentiate({ Input, Target }, (x, t) => f(x, t, weight), dy, v), ...stats };
}

/** The loss and its gradient once more, with how many rows are right and how many count. */
function withStats(
  test: LossCase,
  input: tf.Tensor,
  target: () => tf.Tensor,
  w: tf.Tensor | null,
  dy: tf.Tensor,
): Results {
  const { kind, reduction, ignoreIndex, labelSmoothing, spelling } = test;
  if (kind === 'nllLoss') return {};
  const options = { weight: w && spelled(test, w), ignoreIndex, reduction, dim: dimOf(test), labelSmoothing };
  const criterion = spelling.by === 'class' ? new CrossEntropyLoss(options) : null;
  const all = (x: tf.Tensor) =>
    criterion ? criterion.forwardWithStats(x, target()) : crossEntropyWithStats(x, target(), options);
  try {
    return statsOf(all, input, dy);
  } finally {
    criterion?.dispose();
  }
}

/** Of a loss with its stats: both, and both again where the gradient is taken too. */
function statsOf(
  all: (x: tf.Tensor) => { loss: tf.Tensor; correct: tf.Tensor; count: tf.Tensor },
  input: tf.Tensor,
  dy: tf.Tensor,
): Results {
  const { loss, ...stats } = all(input);
  let kept: tf.Tensor[] = [];
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => {
    const { loss, correct, count } = all(x);
    kept = [correct, count].map((x) => tf.keep(x));
    return loss;
  })(input, dy);
  const [correct, count] = kept.map((x) => x.clone());
  tf.dispose(kept);
  return {
    ...stats,
    'value, with stats': loss,
    'value, with stats and a gradient': value,
    'gradInput, with stats': grad,
    'correct, with a gradient': correct,
    'count, with a gradient': count,
  };
}

function evaluateLinear(test: LinearCase): Results {
  const { shape, features, input, linearWeight, linearBias, target, sequences, shift, spelling } = test;
  const { reduction, ignoreIndex, labelSmoothing, batchChunkSize, upstream } = test;
  const [rows, ...units] = shape;
  const perSequence = rows / Math.max(sequences, 1);
  const length = perSequence + shift;
  const isRow = sequences === 0 && rows === 1 && units.length === 1;
  const labelShape = sequences > 0 ? [sequences, length] : isRow ? [] : rowShape(test);
  /** A tensor that has what the positions of sequences beyond the rows have, before or behind them. */
  const shaped = (x: tf.Tensor, before: number, behind: number) => {
    if (sequences === 0) return isRow ? x.reshape([-1]) : x;
    const [last] = x.shape.slice(-1);
    return x.reshape([sequences, perSequence, last]).pad([
      [0, 0],
      [before, behind],
      [0, 0],
    ]);
  };
  const labels = () => {
    const { indices } = target as { indices: number[] };
    if (sequences === 0) return tf.tensor(Int32Array.from(indices), labelShape, 'int32');
    const padded = Array.from({ length: sequences }, (_, s) => [
      ...Array<number>(shift).fill(ignoreIndex),
      ...indices.slice(s * perSequence, (s + 1) * perSequence),
    ]);
    return tf.tensor(Int32Array.from(padded.flat()), labelShape, 'int32');
  };
  const ofIndices = 'indices' in target;
  const Input = numbers(input, [rows, features]);
  const LinearWeight = numbers(linearWeight, [...units, features]);
  const LinearBias = linearBias && numbers(linearBias, units);
  const Target = ofIndices ? null : numbers(target.probabilities, shape);
  const weight = test.weight && tf.tensor1d(test.weight);
  const dy = numbers(upstream, reduction === 'none' ? rowShape(test) : []);
  const common = { ignoreIndex, reduction, labelSmoothing, shift, ...(batchChunkSize !== null && { batchChunkSize }) };
  const ofRows = (loss: tf.Tensor) => (reduction === 'none' ? loss.reshape(rowShape(test)) : loss);
  const f = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor | null, t: tf.Tensor | null, classWeight: tf.Tensor | null) =>
    ofRows(
      linearCrossEntropy(shaped(x, 0, shift), w, t ? shaped(t, shift, 0) : labels(), {
        ...common,
        linearBias: b,
        weight: classWeight as tf.Tensor1D | null,
      }),
    );
  if (spelling.by === 'class' && units[0] > 0) {
    const options = { ...common, bias: linearBias !== null, weight: test.weight };
    const criterion = new LinearCrossEntropyLoss(features, units[0], options);
    try {
      criterion.linearWeight.assign(LinearWeight);
      if (LinearBias) criterion.linearBias!.assign(LinearBias);
      const all = (x: tf.Tensor) => {
        const { loss, correct, count } = criterion.forwardWithStats(
          shaped(x, 0, shift),
          Target ? shaped(Target, shift, 0) : labels(),
        );
        return { loss: ofRows(loss as tf.Tensor), correct, count };
      };
      const loss = () =>
        ofRows(criterion.forward(shaped(Input, 0, shift), Target ? shaped(Target, shift, 0) : labels()) as tf.Tensor);
      const value = loss(); // first: an error under a tape would leave there what TensorFlow.js keeps of other ops
      const variables = [criterion.linearWeight, ...(criterion.linearBias ? [criterion.linearBias] : [])];
      // And 0: GPUs of TensorFlow.js sum up nothing with an error.
      const weighed = () => tf.sum<tf.Scalar>(tf.concat([tf.reshape(tf.mul(loss(), dy), [-1]), tf.zeros([1])]));
      const { grads } = tf.variableGrads(weighed, variables);
      const [gradLinearWeight, gradLinearBias] = variables.map(({ name }) => grads[name]);
      const bias = gradLinearBias && { gradLinearBias };
      return { value, gradLinearWeight, ...bias, ...statsOf(all, Input, dy) };
    } finally {
      criterion.dispose();
    }
  }
  const leaves = Object.entries({ Input, LinearWeight, LinearBias, Target, Weight: Target && weight }).filter(
    (entry): entry is [string, tf.Tensor] => entry[1] !== null,
  );
  const given = Object.fromEntries(leaves.map(([name], i) => [name, i]));
  const ofLeaves = (...tensors: tf.Tensor[]) => {
    const at = (name: string) => (name in given ? tensors[given[name]] : null);
    return f(tensors[0], tensors[1], at('LinearBias'), at('Target'), at('Weight') ?? weight);
  };
  const tensors = leaves.map(([, tensor]) => tensor);
  const value = ofLeaves(...tensors);
  const first = tf.valueAndGrads(ofLeaves)(tensors, dy);
  return {
    value,
    'value, with a gradient': first.value,
    ...Object.fromEntries(leaves.map(([name], i) => [`grad${name}`, first.grads[i]])),
  };
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
