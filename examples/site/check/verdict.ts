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
  /** `beyond`: it disagrees, but half floats cannot hold its numbers. */
  readonly kind: 'right' | 'wrong' | 'beyond';
  /** The worst error of its results, relative to the result's largest number; 0 where an error message was wanted. */
  readonly error: number;
  readonly allowed: number;
  /** What went wrong, in words. */
  readonly fault?: string;
}

/**
 * Allowed with half floats, relative to a result's largest number: as much as four roundings to their 11 bits, and twice
 * that for second derivatives, which go through twice as many tensors.
 */
export const halfPrecision = (result: string): number => (result.startsWith('hvp') ? 4e-3 : 2e-3);

/** What half floats can hold on a device. */
export interface HalfFloats {
  /** On some, such as Chromium's software renderer, what becomes infinite is NaN, in TensorFlow.js's own ops too. */
  readonly infinities: boolean;
}

const LARGEST_HALF = 65504;

/** Whether a case has numbers, given or wanted, that a device's half floats cannot hold. */
export function isBeyondHalf({ input, target, weight, upstream, expect }: Case, { infinities }: HalfFloats): boolean {
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
  return numbers.map(Number).some((x) => Math.abs(x) > LARGEST_HALF && (Number.isFinite(x) || !infinities));
}

/** The verdict on a case from how far its results are off, or from what it threw; with half floats, or without. */
export function judge(test: Case, outcome: readonly Deviation[] | Error, halfFloats: HalfFloats | null): Verdict {
  const failed = (error: number, allowed: number, fault: string): Verdict => {
    const kind = halfFloats && isBeyondHalf(test, halfFloats) ? 'beyond' : 'wrong';
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
  /** Of a subject with half floats, once it has started. */
  readonly halfFloats?: HalfFloats | null;
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
