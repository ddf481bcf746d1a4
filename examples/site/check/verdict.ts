import { type Deviation, describeDeviation, isWrong } from '../../../test/support/deviation';
import type { Case } from '../../../test/support/golden';
import type { Packed } from '../../../test/support/tensors';

/** What is checked in one go: a backend, or one of its ways to compute. */
export interface Subject {
  readonly backend: 'cpu' | 'wasm' | 'webgl' | 'webgpu';
  readonly halfFloats?: boolean;
}

export const SUBJECTS: readonly Subject[] = [
  { backend: 'cpu' },
  { backend: 'wasm' },
  { backend: 'webgl' },
  { backend: 'webgl', halfFloats: true },
  { backend: 'webgpu' },
];

/** How a case went. */
export interface Verdict {
  readonly name: string;
  /** `beyond`: it disagrees, but its numbers are larger than half floats can be. */
  readonly kind: 'right' | 'wrong' | 'beyond';
  /** The worst error of its results, relative to the result's largest number; 0 where an error message was wanted. */
  readonly error: number;
  readonly allowed: number;
  /** What went wrong, in words. */
  readonly fault?: string;
}

/** Allowed with half floats, which have 11 bits, relative to a result's largest number. */
export const HALF_PRECISION = 2e-3;
const LARGEST_HALF = 65504;

/** Whether a case has numbers, given or wanted, that half floats cannot hold. */
export function isBeyondHalf({ input, target, weight, upstream, expect }: Case): boolean {
  const given = [input, target, upstream, Array.isArray(weight) ? { data: weight } : weight];
  const wanted = [
    expect.value,
    expect.gradInput,
    expect.gradTarget,
    expect.hvp?.v,
    expect.hvp?.value,
    expect.hvp?.gradTarget,
  ];
  const numbers = ([...given, ...wanted] as (Packed | null | undefined)[]).flatMap((packed) => packed?.data ?? []);
  return numbers.some((x) => typeof x === 'number' && Math.abs(x) > LARGEST_HALF);
}

/** The verdict on a case from how far its results are off, or from what it threw. */
export function judge(test: Case, outcome: readonly Deviation[] | Error, halfFloats: boolean): Verdict {
  const failed = (error: number, allowed: number, fault: string): Verdict => {
    const kind = halfFloats && isBeyondHalf(test) ? 'beyond' : 'wrong';
    return { name: test.name, kind, error, allowed, fault };
  };
  if (outcome instanceof Error) return failed(Number.POSITIVE_INFINITY, 0, outcome.message);
  const relative = ({ error, allowed, scale }: Deviation) => ({ error: error / scale, allowed: allowed / scale });
  const worst = outcome.reduce<Deviation | null>((a, b) => (a && a.error / a.scale >= b.error / b.scale ? a : b), null);
  const wrong = outcome.filter(isWrong);
  if (wrong.length > 0) {
    const { error, allowed } = relative(wrong[0]);
    return failed(error, allowed, wrong.map(describeDeviation).join('; '));
  }
  const { error, allowed } = worst ? relative(worst) : { error: 0, allowed: 0 };
  return { name: test.name, kind: 'right', error, allowed };
}

/** What is known of a subject so far. */
export interface Tally {
  readonly subject: Subject;
  readonly state: 'waiting' | 'running' | 'done' | 'absent' | 'stopped';
  /** Why it is absent, or what ended it. */
  readonly reason?: string;
  readonly device?: string;
  readonly seconds?: number;
  readonly verdicts: readonly Verdict[];
}

export const subjectName = ({ backend, halfFloats }: Subject): string =>
  halfFloats ? `${backend}, half floats` : backend;

export function count(verdicts: readonly Verdict[], kind: Verdict['kind']): number {
  return verdicts.filter((verdict) => verdict.kind === kind).length;
}

/** The right case that is farthest off: how precise the device is where it is right. */
export function worstRight(verdicts: readonly Verdict[]): Verdict | undefined {
  return verdicts
    .filter(({ kind }) => kind === 'right')
    .reduce<Verdict | undefined>((a, b) => (a && a.error >= b.error ? a : b), undefined);
}
