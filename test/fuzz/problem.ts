import type { Problem } from '../support/reference';

/** A call of one of the losses, and the direction in which its gradient is differentiated once more. */
export interface LossCase extends Problem {
  readonly direction: number[];
  readonly spelling: Spelling;
}

export interface SoftmaxCase {
  readonly kind: 'softmax' | 'logSoftmax';
  readonly shape: number[];
  readonly dim: number;
  readonly input: number[];
  readonly upstream: number[];
  readonly direction: number[];
  readonly spelling: Spelling;
}

/** Ways to say the same. */
export interface Spelling {
  readonly by: 'function' | 'class';
  readonly dim: 'counted from the start' | 'counted from the end';
  readonly weight: 'array' | 'Float32Array' | 'tensor';
}

/**
 * The same loss of logits that a linear layer makes: `shape` is theirs, `[N, C]` or `[N, C, K]`, and `dim` 1. First
 * derivatives only.
 */
export interface LinearCase extends Omit<Problem, 'kind'> {
  readonly kind: 'linearCrossEntropy';
  /** `[N, features]`. */
  readonly input: number[];
  readonly features: number;
  readonly linearWeight: number[];
  readonly linearBias: number[] | null;
  readonly batchChunkSize: number | null;
  /** How many sequences the rows are, of which each has `shift` positions more; 0 for rows as they are. */
  readonly sequences: number;
  readonly shift: number;
  readonly direction: number[];
  readonly spelling: Spelling;
}

export type FuzzCase = LossCase | SoftmaxCase | LinearCase;

/** How a case is written in files: numbers that JSON does not have are strings. */
export function toJSON(test: FuzzCase): string {
  return JSON.stringify(test, (_, x) => (typeof x === 'number' && !JSON_HAS(x) ? nameOf(x) : x));
}

const JSON_HAS = (x: number) => Number.isFinite(x) && !Object.is(x, -0);
const nameOf = (x: number) => (Object.is(x, -0) ? '-0' : String(x));
const NAMES = ['NaN', 'Infinity', '-Infinity', '-0'];
const revive = (x: unknown) => (NAMES.includes(x as string) ? Number(x) : x);

export const fromJSON = (text: string): FuzzCase => JSON.parse(text, (_, x) => revive(x));

export const rowShape = ({ shape, dim }: Pick<FuzzCase, 'shape' | 'dim'>): number[] =>
  shape.filter((_, axis) => axis !== dim);
