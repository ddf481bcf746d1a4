import * as tf from '@tensorflow/tfjs';

/** An array as the oracle's JSON holds it: non-finite numbers are strings. */
export interface Packed {
  readonly shape: number[];
  readonly data: (number | string)[];
}

export const numbers = (data: readonly (number | string)[]): number[] => data.map(Number);

export function unpack({ shape, data }: Packed, dtype: tf.NumericDataType | 'bool' = 'float32'): tf.Tensor {
  const values = numbers(data);
  return tf.tensor(dtype === 'bool' ? Uint8Array.from(values) : values, shape, dtype);
}

/** The same tensor once a GPU has read it, so that its values are known there alone; else small ones are worked on here. */
export function onDevice<T extends tf.Tensor>(x: T): T {
  const flag = `${tf.getBackend().toUpperCase()}_CPU_FORWARD`;
  const before = tf.env().getBool(flag);
  tf.env().set(flag, false);
  tf.equal(x, x).dispose();
  tf.env().set(flag, before);
  return x;
}

/**
 * Runs `f` and fails if it leaves other tensors behind than before. What `f` returns must hold no tensors.
 */
export async function withoutLeaks<T>(f: () => Promise<T> | T): Promise<T> {
  const before = tf.memory().numTensors;
  tf.engine().startScope();
  let result: T;
  try {
    result = await f();
  } finally {
    tf.engine().endScope();
  }
  const leaked = tf.memory().numTensors - before;
  if (leaked !== 0) throw new Error(`${leaked} tensors leaked`);
  return result;
}

/** Fails, saying what came and what was expected, unless each element is as close as allowed. */
export function assertClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number | ((want: number) => number),
  what: string,
): void {
  if (got.length !== want.length) throw new Error(`${what}: expected ${want.length} elements, got ${got.length}`);
  const allowed = typeof tolerance === 'number' ? () => tolerance : tolerance;
  for (let i = 0; i < want.length; i++) {
    if (Object.is(got[i], want[i]) || got[i] === want[i]) continue;
    if (Number.isFinite(want[i]) && Math.abs(got[i] - want[i]) <= allowed(want[i])) continue;
    throw new Error(
      `${what}: element ${i} of ${want.length}: expected ${want[i]}, got ${got[i]} ` +
        `(off by ${Math.abs(got[i] - want[i])}, allowed ${allowed(want[i])})`,
    );
  }
}

export function assertEqual(got: unknown, want: unknown, what: string): void {
  const [a, b] = [got, want].map((x) => JSON.stringify(x));
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

/** Fails unless `f` throws an error whose message contains `text`; gives the error. */
export function assertThrows(f: () => unknown, text: string): Error {
  try {
    f();
  } catch (error) {
    const { message } = error as Error;
    if (!message.includes(text)) throw new Error(`expected an error with "${text}", got "${message}"`);
    return error as Error;
  }
  throw new Error(`expected an error with "${text}", got none`);
}
