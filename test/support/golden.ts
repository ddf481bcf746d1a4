import * as tf from '@tensorflow/tfjs';
import { crossEntropy, logSoftmax, nllLoss, type Reduction, softmax } from 'tfjs-cross-entropy';
import golden from '../oracle/golden.json';
import { numbers, type Packed, unpack } from './tensors';

/** A case of the oracle; `make_golden.py` documents the fields. */
export interface Case {
  readonly name: string;
  readonly tags: string[];
  readonly op: 'cross_entropy' | 'nll_loss' | 'log_softmax' | 'softmax';
  readonly dim?: number;
  readonly input: Packed & { dtype?: 'int32' };
  readonly target: (Packed & { kind: 'index' | 'prob'; dtype?: 'float32' | 'bool' }) | null;
  readonly weight?: (number | string)[] | Packed | null;
  readonly ignoreIndex?: number;
  readonly reduction?: string;
  readonly labelSmoothing?: number;
  readonly upstream: Packed | null;
  readonly expect: Expectation;
}

export interface Expectation {
  readonly error?: string;
  readonly backwardError?: string;
  readonly value: Packed;
  readonly gradInput: Packed;
  readonly gradTarget?: Packed;
  readonly hvp?: { v: Packed; value: Packed; gradTarget?: Packed };
  readonly f32Err: Record<string, { maxAbs: number }>;
}

export const cases = golden.cases as unknown as Case[];

/** The results of a case under the names that `expect.f32Err` gives them. */
export type Results = Record<string, tf.Tensor>;

/** The call that a case describes, on the tensors that it names. */
export function call(test: Case, input: tf.Tensor, target: tf.Tensor | null): tf.Tensor {
  const { op, dim, ignoreIndex, labelSmoothing } = test;
  if (op === 'log_softmax') return logSoftmax(input, dim);
  if (op === 'softmax') return softmax(input, dim);
  const reduction = test.reduction as Reduction;
  const weight = weightOf(test);
  if (op === 'nll_loss') return nllLoss(input, target!, { weight, ignoreIndex, reduction });
  return crossEntropy(input, target!, { weight, ignoreIndex, reduction, labelSmoothing });
}

function weightOf({ weight }: Case) {
  if (weight == null) return undefined;
  return Array.isArray(weight) ? numbers(weight) : (unpack(weight) as tf.Tensor1D);
}

export function tensorsOf({ input, target }: Case) {
  return {
    input: unpack(input, input.dtype),
    target: target && unpack(target, target.dtype ?? (target.kind === 'index' ? 'int32' : 'float32')),
  };
}

/** Value, gradients and Hessian-vector products, as far as the oracle has them for this case. */
export function evaluate(test: Case): Results {
  const { input, target } = tensorsOf(test);
  const byTarget = test.expect.gradTarget !== undefined;
  const leaves = byTarget ? [input, target!] : [input];
  const f = (x: tf.Tensor, t?: tf.Tensor) => call(test, x, t ?? target);
  const dy = test.upstream ? unpack(test.upstream) : undefined;

  const [gradInput, gradTarget] = tf.grads(f)(leaves, dy);
  const results: Results = { value: f(input), gradInput, ...(byTarget && { gradTarget }) };
  const { hvp } = test.expect;
  if (hvp) {
    const v = unpack(hvp.v);
    const slope = (x: tf.Tensor, t?: tf.Tensor) => tf.sum(tf.mul(v, tf.grad((x) => f(x, t))(x, dy)));
    const [byInput, mixed] = tf.grads(slope)(leaves);
    results['hvp:value'] = byInput;
    if (hvp.gradTarget) results['hvp:gradTarget'] = mixed;
  }
  return results;
}

/** What the oracle says of one of those results. */
export function expected({ expect }: Case, name: string): Packed {
  if (name === 'hvp:value') return expect.hvp!.value;
  if (name === 'hvp:gradTarget') return expect.hvp!.gradTarget!;
  return expect[name as 'value' | 'gradInput' | 'gradTarget']!;
}
