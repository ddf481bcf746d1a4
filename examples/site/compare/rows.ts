import { OURS } from '../../../bench/contender';
import type { Result } from '../../../bench/measure';

/** A contender's line in the table. */
export interface Row {
  readonly name: string;
  readonly ours: boolean;
  readonly time?: { readonly median: number; readonly lower: number; readonly upper: number; readonly samples: number };
  /** How many times as long as ours it takes. */
  readonly ratio?: number;
  /** Of the bar and its whisker, as shares of the longest upper quartile. */
  readonly bar?: { readonly median: number; readonly lower: number; readonly upper: number };
  readonly programs?: number;
  /** Beyond the inputs, at the most: on the GPU where that is where the tensors are. */
  readonly bytes?: number;
  /** What is wrong with its answer. */
  readonly fault: string | null;
  /** Why it was not timed. */
  readonly omitted?: string;
}

/** The results of one backend and shape as lines, the fastest first. */
export function rowsOf(results: readonly Result[]): Row[] {
  const longest = Math.max(...results.map(({ time }) => time?.upper ?? 0));
  const ours = results.find(({ contender }) => contender === OURS)?.time?.median;
  return results
    .map(({ contender, time, cost, fault, omitted }) => ({
      name: contender,
      ours: contender === OURS,
      time,
      ratio: time && ours ? time.median / ours : undefined,
      bar: time && { median: time.median / longest, lower: time.lower / longest, upper: time.upper / longest },
      programs: cost?.programs,
      bytes: cost?.peakGpuBytes ?? cost?.peakBytes,
      fault,
      omitted,
    }))
    .sort((a, b) => (a.time?.median ?? Number.POSITIVE_INFINITY) - (b.time?.median ?? Number.POSITIVE_INFINITY));
}
