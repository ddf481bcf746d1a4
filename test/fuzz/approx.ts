/**
 * A number in float64, and how far float32 arithmetic may take it: running error analysis (N. Higham, Accuracy and
 * Stability of Numerical Algorithms, section 3.3). Formulas written with these operations say what is right and, by the
 * same stroke, how well conditioned it is: tolerances are derived, not chosen.
 */
export interface Approx {
  readonly value: number;
  /** In units of 2^-24, half an ulp of 1. `Infinity` where float32 overflows, or nothing can be said. */
  readonly error: number;
}

export const UNIT = 2 ** -24;
const LARGEST = 3.4028234663852886e38;
/** Results below 2^-126 may be flushed to 0. */
const UNDERFLOW = 2 ** -126 / UNIT;
/** What an implementation may take for the last operation of a chain to be certain of a sign, or of a 0: see `div`. */
const UNCERTAIN = 64 * UNIT;

export const exact = (value: number): Approx => ({
  value,
  error: value !== 0 && Math.abs(value) < 2 ** -126 ? UNDERFLOW : 0,
});
export const ZERO = exact(0);
export const NOT_A_NUMBER = exact(Number.NaN);

/** A result, rounded once, whose operands' errors amount to `inherited`. */
function rounded(value: number, inherited: number, units = 1): Approx {
  if (!Number.isFinite(value)) return { value, error: inherited === Number.POSITIVE_INFINITY ? inherited : 0 };
  const error = inherited + units * Math.abs(value) + UNDERFLOW;
  return { value, error: Math.abs(value) > LARGEST || Number.isNaN(error) ? Number.POSITIVE_INFINITY : error };
}

/** An error times a factor; nothing of an error of nothing. */
const scaled = (error: number, factor: number) => (error === 0 || factor === 0 ? 0 : error * Math.abs(factor));

export const neg = ({ value, error }: Approx): Approx => ({ value: -value, error });

export function add(a: Approx, b: Approx): Approx {
  if (a.value === 0 && a.error === 0) return b;
  if (b.value === 0 && b.error === 0) return a;
  return rounded(a.value + b.value, a.error + b.error);
}

export const sub = (a: Approx, b: Approx): Approx => add(a, neg(b));

/** As IEEE 754 has it: 0 times NaN is NaN. */
export function mul(a: Approx, b: Approx): Approx {
  const value = a.value * b.value;
  if (a.error === Number.POSITIVE_INFINITY || b.error === Number.POSITIVE_INFINITY)
    return { value, error: a.error + b.error };
  if (value === 0 && (isZero(a) || isZero(b))) return ZERO;
  const inherited = scaled(a.error, b.value) + scaled(b.error, a.value) + scaled(a.error, b.error * UNIT);
  return isOne(a) || isOne(b) ? { value, error: inherited } : rounded(value, inherited);
}

const isZero = ({ value, error }: Approx) => value === 0 && error === 0;
const isOne = ({ value, error }: Approx) => value === 1 && error === 0;

/** A term with a coefficient: exactly 0 where that is, whatever the other factor. */
export function times(coefficient: Approx, x: Approx): Approx {
  if (isZero(coefficient)) return ZERO;
  const product = mul(coefficient, x);
  return mayBeZero(coefficient) && !Number.isFinite(x.value) ? undecided(product) : product;
}

/** Whether float32 may have 0 for a number, which it is, or may underflow to. */
export const mayBeZero = ({ value, error }: Approx) => Math.abs(value) <= 2 * UNIT * error || value === 0;

export const undecided = ({ value }: Approx): Approx => ({ value, error: Number.POSITIVE_INFINITY });

/** What is made for another factor, and then multiplied by it: what has underflown by then is multiplied too. */
export const madeFor = (factor: number, { value, error }: Approx): Approx => ({
  value,
  error: error + (Number.isFinite(factor) ? 2 * UNDERFLOW * Math.abs(factor) : 0),
});

/** Where the divisor, or the sign of what is divided by 0, cannot be told from rounding errors, anything goes. */
export function div(a: Approx, b: Approx): Approx {
  const value = a.value / b.value;
  const doubtful = ({ value, error }: Approx) => error > 0 && !(Math.abs(value) > UNCERTAIN * error);
  if ((b.error > 0 && doubtful(b)) || (b.value === 0 && doubtful(a))) return { value, error: Number.POSITIVE_INFINITY };
  if (!Number.isFinite(value)) return { value, error: a.error === Number.POSITIVE_INFINITY ? a.error : 0 };
  if (isOne(b)) return a;
  return rounded(value, scaled(a.error, 1 / b.value) + scaled(b.error, value / b.value));
}

/**
 * In any order: n rounding errors that are as good as independent add up to about the root of n (N. Higham and
 * T. Mary, A new approach to probabilistic rounding error analysis, 2019). Sums of small integers are exact.
 */
export function sum(terms: readonly Approx[]): Approx {
  let [value, inherited, size, count] = [0, 0, 0, 0];
  let isInteger = true;
  for (const term of terms) {
    value += term.value;
    inherited += term.error;
    if (isZero(term)) continue;
    size += Math.abs(term.value);
    count++;
    isInteger &&= Number.isInteger(term.value);
  }
  if (count <= 1 || (isInteger && inherited === 0 && size < 2 ** 24)) return { value, error: inherited };
  if (!Number.isFinite(value)) return { value, error: inherited === Number.POSITIVE_INFINITY ? inherited : 0 };
  const error = inherited + Math.sqrt(count - 1) * size + UNDERFLOW;
  return { value, error: size > LARGEST || Number.isNaN(error) ? Number.POSITIVE_INFINITY : error };
}

/** `exp(-x)` for x >= 0; good implementations are within an ulp or two. */
export function expOfMinus({ value, error }: Approx): Approx {
  const e = Math.exp(-value);
  if (e === 0) return value === Number.POSITIVE_INFINITY && error === 0 ? ZERO : { value: 0, error: UNDERFLOW };
  return rounded(e, scaled(error, e), 2);
}

/** Near 1, where the logarithm is small, what is promised of it is an absolute error. */
export function log({ value, error }: Approx): Approx {
  const l = Math.log(value);
  return rounded(l, scaled(error, 1 / value) + (value === 1 && error === 0 ? 0 : 1), 2);
}
