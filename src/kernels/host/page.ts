import type { Values } from './host';
import { jsRun } from './js-run';
import { CONSTANTS } from './page-layout';

/**
 * Does `operations` with the rows of a tile, see `page-layout.ts`. The rows are contiguous if `step` is 0, else `step`
 * bytes are from class to class. Addresses are in bytes, 0 for what is missing.
 */
export type Run = (
  base: number,
  operations: number,
  rows: number,
  classes: number,
  step: number,
  distance: number,
  firstClass: number,
  x: number,
  q: number,
  weights: number,
  out: number,
  labels: number,
  dy: number,
  record: number,
) => void;

/** 64 kB to work in, at `base` of a memory, which holds the tensors too on some hosts. */
export interface Page {
  readonly floats: Values;
  readonly ints: Int32Array;
  readonly doubles: Float64Array;
  readonly base: number;
  readonly run: Run;
}

/**
 * exp(x) = 2^k * exp(r) with |r| <= ln(2) / 2, whose polynomial begins with 1 + r + r^2 / 2 and is minimax from there:
 * below 1 ulp in all, and exact at 0.
 */
const EXP = [
  Math.LOG2E,
  1.5 * 2 ** 23, // adding it rounds to an integer
  -0.693359375, // -ln(2): its first bits, so that k times them is exact
  2.1219444e-4, // and the rest
  0.00138637,
  0.00836754,
  0.04166724,
  0.16666534,
  1 / 2,
  1,
  -87.33654, // below it exp(x) is subnormal
];

/** `simd` is what works on the memory; without it, JavaScript does. */
export function pageIn(memory: ArrayBufferLike, base: number, simd: Run | null): Page {
  const floats = new Float32Array(memory) as Values;
  const ints = new Int32Array(memory);
  const doubles = new Float64Array(memory);
  floats.set(EXP, (base + CONSTANTS) >>> 2);
  return { floats, ints, doubles, base, run: simd ?? jsRun(floats, ints, doubles) };
}
