import { isCriterion } from './criterion';
import type { CompileArgs, MetricEntry, PerOutput } from './model';

const isOne = (x: unknown) => typeof x !== 'object' || x === null || isCriterion(x);

/** `f` of each output's entry, in an array or dictionary as it came. */
export function mapOutputs<T, U>(
  entries: PerOutput<T>,
  f: (entry: T) => U,
  isEntry: (x: unknown) => boolean = isOne,
): PerOutput<U> {
  if (isEntry(entries)) return f(entries as T);
  if (Array.isArray(entries)) return entries.map((entry) => f(entry));
  return Object.fromEntries(Object.entries(entries as { [name: string]: T }).map(([name, x]) => [name, f(x)]));
}

/** The entry of one output. */
export function entryOf<T>(entries: PerOutput<T>, position: number, name: string): T | undefined {
  if (isOne(entries)) return entries as T;
  return Array.isArray(entries) ? entries[position] : (entries as { [name: string]: T })[name];
}

/** The metrics of one output: unlike losses, those of an array are for every output. */
export function metricsOf(metrics: CompileArgs['metrics'], name: string): MetricEntry[] {
  if (metrics == null) return [];
  if (typeof metrics !== 'object' || Array.isArray(metrics)) return [metrics].flat();
  return Object.keys(metrics).includes(name) ? [metrics[name]].flat() : [];
}
