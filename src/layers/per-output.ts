import { isCriterion } from './criterion';
import type { PerOutput } from './model';

/** `f` of each output's entry, in an array or dictionary as it came. */
export function mapOutputs<T, U>(
  entries: PerOutput<T>,
  f: (entry: T) => U,
  isEntry = (x: unknown) => typeof x !== 'object' || isCriterion(x),
): PerOutput<U> {
  if (isEntry(entries)) return f(entries as T);
  if (Array.isArray(entries)) return entries.map((entry) => f(entry));
  return Object.fromEntries(Object.entries(entries as { [name: string]: T }).map(([name, x]) => [name, f(x)]));
}
