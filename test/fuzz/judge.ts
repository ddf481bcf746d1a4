import * as tf from '@tensorflow/tfjs';
import { checksLabels, isHost } from '../support/check';
import { UNIT } from './approx';
import { evaluate, solve } from './functions';
import type { FuzzCase } from './problem';
import type { Solution } from './reference';

/**
 * How often the error of float32 arithmetic that was worked out along with a result a backend may make: its algorithm takes
 * a few operations more than the formula, or its `exp`, `log` and division are of fewer digits. GLSL promises nothing of
 * those, WGSL 3 + 2 |x| ulps of `exp`, 2.5 of a division, and 2^-21 of `log`.
 */
const ALLOWANCE = { host: 2, gpu: 16 } as const;

/** What was found out of a case on a backend. */
export interface Verdict {
  readonly fault: string | null;
  /** The largest error, in terms of what is allowed. */
  readonly worst: number;
  /** Elements that were compared, and those of which nothing can be said: their condition, or an overflow in float32. */
  readonly compared: number;
  readonly undecided: number;
}

export interface Place {
  /** Whether labels are looked at: see docs/compatibility.md, 9. */
  readonly seesLabels: boolean;
  readonly isGpu: boolean;
  readonly allowance: number;
}

export const placeOf = (backend: string): Place => ({
  seesLabels: checksLabels(backend),
  isGpu: isGpu(backend),
  allowance: isGpu(backend) ? ALLOWANCE.gpu : ALLOWANCE.host,
});

const isGpu = (backend: string) => !isHost(backend) && backend !== 'composite';

/** Evaluates a case on the active backend, and compares what comes with what is right. */
export async function judge(test: FuzzCase, place: Place, solution = solve(test)): Promise<Verdict> {
  const before = tf.memory();
  const ids = tf.engine().backend.numDataIds();
  tf.engine().startScope();
  let verdict: Verdict;
  try {
    verdict = await compare(test, place, solution);
  } catch (error) {
    verdict = { fault: (error as Error).stack ?? String(error), worst: 0, compared: 0, undecided: 0 };
  } finally {
    tf.engine().endScope();
  }
  const after = tf.memory();
  const leaks = [after.numTensors - before.numTensors, tf.engine().backend.numDataIds() - ids];
  if (verdict.fault === null && leaks.some((leak) => leak !== 0)) {
    return { ...verdict, fault: `${leaks[0]} tensors and ${leaks[1]} buffers leaked` };
  }
  return verdict;
}

async function compare(test: FuzzCase, place: Place, { results, error, nan }: Solution): Promise<Verdict> {
  // `linearCrossEntropy` looks at labels wherever their values are at hand, as those of new tensors are.
  if (error && (place.seesLabels || test.kind === 'linearCrossEntropy'))
    return { fault: faultOfError(test, error), worst: 0, compared: 1, undecided: 0 };
  const found = { worst: 0, compared: 0, undecided: 0 };
  for (const [name, tensor] of Object.entries(evaluate(test))) {
    const want = results[name.split(',')[0]];
    const fault = faultOfNumbers(name, await tensor.data(), want, nan, place, found);
    if (fault !== null) return { ...found, fault };
  }
  return { ...found, fault: null };
}

/** What is wrong with a result, and in `found` what there is to say of it otherwise. */
export function faultOfNumbers(
  name: string,
  got: ArrayLike<number>,
  want: Solution['results'][string],
  nan: Solution['nan'],
  place: Place,
  found: { worst: number; compared: number; undecided: number },
): string | null {
  if (got.length !== want.length) return `${name} has ${got.length} elements, not ${want.length}`;
  for (let i = 0; i < want.length; i++) {
    const { value, error } = want[i];
    if (Number.isNaN(error)) return `the reference has no bound of ${name}[${i}]`;
    if (error === Number.POSITIVE_INFINITY) {
      found.undecided++;
      continue;
    }
    found.compared++;
    const allowed = place.allowance * UNIT * error + 2 ** -126;
    const off = Math.abs(got[i] - value);
    if (Object.is(got[i], value) || got[i] === value) continue;
    if (Number.isFinite(value) && off <= allowed) {
      found.worst = Math.max(found.worst, off / allowed);
      continue;
    }
    const mayBeNaN = nan === 'on GPUs' ? place.isGpu : nan === 'for Infinity' && Math.abs(value) === Infinity;
    if (mayBeNaN && name.startsWith('value') && Number.isNaN(got[i])) continue;
    return `${name}, element ${i} of ${want.length}: expected ${value}, got ${got[i]} (off by ${off}, allowed ${allowed})`;
  }
  return null;
}

function faultOfError(test: FuzzCase, message: string): string | null {
  try {
    evaluate(test);
  } catch (error) {
    const { name, message: got } = error as Error;
    return name === 'RangeError' && got.startsWith(message)
      ? null
      : `expected RangeError: ${message}, got ${name}: ${got}`;
  }
  return `expected RangeError: ${message}, got no error`;
}

/** Whether PyTorch says the same as the reference, to float64's last digits. */
export function faultOfReference(
  { results, error }: Solution,
  answer: { results?: Readonly<Record<string, Float64Array>>; error?: string },
  isIncomparable: (name: string) => boolean,
): string | null {
  if (isIncomparable('')) return null;
  if (error || answer.error) {
    return error === answer.error
      ? null
      : `PyTorch says ${answer.error ?? 'nothing'}, the reference ${error ?? 'nothing'}`;
  }
  for (const [name, numbers] of Object.entries(results)) {
    if (isIncomparable(name)) continue;
    const theirs = answer.results![name];
    if (theirs.length !== numbers.length)
      return `${name}: PyTorch has ${theirs.length} elements, not ${numbers.length}`;
    for (const [i, { value, error }] of numbers.entries()) {
      if (Object.is(theirs[i], value) || theirs[i] === value || error === Number.POSITIVE_INFINITY) continue;
      // The same analysis, for float64: 2^-53 in place of 2^-24.
      if (Math.abs(theirs[i] - value) <= 8 * 2 ** -53 * error + 1e-300) continue;
      return `${name}, element ${i}: PyTorch has ${theirs[i]}, the reference ${value}`;
    }
  }
  return null;
}
