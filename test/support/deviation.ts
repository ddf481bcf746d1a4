/** The element of a result that is farthest from what it should be. */
export interface Worst {
  readonly index: number;
  readonly got: number;
  readonly want: number;
  /** Infinity where one of the two is not finite and the other is another. */
  readonly error: number;
}

/** How far a result is from PyTorch's. */
export interface Deviation extends Worst {
  /** The result's name. */
  readonly result: string;
  readonly allowed: number;
  /** The result's largest number, at least 1: errors are compared relative to it. */
  readonly scale: number;
}

export function worstOf(got: ArrayLike<number>, want: ArrayLike<number>): Worst {
  let worst: Worst = { index: -1, got: Number.NaN, want: Number.NaN, error: 0 };
  for (let i = 0; i < want.length; i++) {
    const error = distance(got[i], want[i]);
    if (error > worst.error || i === 0) worst = { index: i, got: got[i], want: want[i], error };
  }
  return worst;
}

function distance(got: number, want: number): number {
  if (Object.is(got, want) || got === want) return 0;
  const difference = Math.abs(got - want);
  return Number.isFinite(difference) ? difference : Number.POSITIVE_INFINITY;
}

export const isWrong = ({ error, allowed }: Deviation): boolean => !(error <= allowed);

export const describeDeviation = ({ result, index, got, want, error, allowed }: Deviation): string =>
  `${result}: element ${index}: expected ${want}, got ${got} (off by ${error}, allowed ${allowed})`;
