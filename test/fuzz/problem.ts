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

export type FuzzCase = LossCase | SoftmaxCase;

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
