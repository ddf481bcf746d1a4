import { type Cost, MODES, type Mode, type Seated } from './contender';

/** How long to measure. */
export interface Budget {
  /** Milliseconds of samples for a figure (a contender in a mode), as far as `MIN_SAMPLES` allows. */
  readonly time: number;
  /** Least milliseconds of warm-up for a figure; up to three times that where `WARM_UP_STEPS` take longer. */
  readonly warmUp: number;
  /** Most milliseconds for the samples of a figure: who cannot take `MIN_SAMPLES` in that time is too slow. */
  readonly limit: number;
}

export interface Result {
  readonly backend: string;
  readonly contender: string;
  readonly mode: Mode;
  /** Why the answer is wrong, or could not be had. */
  readonly fault: string | null;
  /** Why it was not timed. */
  readonly omitted?: string;
  /** Milliseconds a step, where it was timed. */
  readonly time?: Figure;
  readonly cost?: Cost;
}

/** The median of a step's times, and the quartiles as the spread. */
export interface Figure {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly samples: number;
}

/** Fewer give no median and no quartiles. */
export const MIN_SAMPLES = 7;
const MAX_SAMPLES = 25;
/** Least length of a sample, in milliseconds: clocks in a page tick every 0.1 ms. */
const SAMPLE = 10;
const WARM_UP_STEPS = 300;
/** Steps that take longer, in milliseconds, do not notice what a turn's start costs. */
const LONG = 100;

type Outcome = Omit<Result, 'backend' | 'contender' | 'mode'>;

/** A sitting: checks every contender's answer, then times those that have one, taking turns. */
export async function measure(contenders: readonly Seated[], budget: Budget): Promise<Result[]> {
  const checked = new Map<Seated, Outcome>();
  for (const contender of contenders) checked.set(contender, await check(contender, budget));
  const results: Result[] = [];
  for (const mode of MODES) {
    const entrants = contenders.filter(({ modes }) => modes.includes(mode));
    const outcomes = await takeTurns(
      entrants.filter((contender) => canRun(checked.get(contender)!)),
      mode,
      budget,
    );
    for (const contender of entrants) {
      const { backend, name } = contender;
      results.push({ backend, contender: name, mode, ...checked.get(contender)!, ...outcomes.get(contender) });
    }
  }
  return results;
}

const canRun = ({ fault, omitted }: Outcome) => !omitted && !fault?.startsWith(FAILS);

const FAILS = 'fails: ';
const failure = (error: unknown) => ({ fault: FAILS + (error as Error).message });

async function check(contender: Seated, { limit }: Budget): Promise<Outcome> {
  const start = performance.now();
  try {
    const fault = await contender.check();
    const elapsed = performance.now() - start;
    await contender.collectGarbage?.();
    return elapsed > limit ? { fault, omitted: `too slow: its answer took ${seconds(elapsed)}` } : { fault };
  } catch (error) {
    return failure(error);
  }
}

/** The figures by contender. What disturbs the machine for a while disturbs all of them. */
async function takeTurns(contenders: readonly Seated[], mode: Mode, budget: Budget) {
  const outcomes = new Map<Seated, Partial<Outcome>>();
  const entries: Entry[] = [];
  for (const contender of contenders) {
    try {
      const step = await contender.time(mode, 1);
      if (step * MIN_SAMPLES > budget.limit) {
        outcomes.set(contender, { omitted: `too slow: one step took ${seconds(step)}` });
      } else {
        entries.push(plan(contender, await warmUp(contender, mode, step, budget), budget));
      }
    } catch (error) {
      outcomes.set(contender, failure(error));
    }
  }
  const rounds = Math.max(0, ...entries.map(({ count }) => count));
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries) {
      const { contender, count, samples } = entry;
      // Who takes fewer samples takes them all over the sitting.
      const due = Math.floor(((round + 1) * count) / rounds);
      if (outcomes.has(contender) || samples.length >= due) continue;
      try {
        samples.push(await takeTurn(entry, mode));
      } catch (error) {
        outcomes.set(contender, failure(error));
      }
    }
  }
  for (const { contender, samples } of entries) {
    if (outcomes.has(contender)) continue;
    outcomes.set(contender, { time: figure(samples), cost: await contender.cost?.(mode) });
  }
  return outcomes;
}

/** How a contender takes its samples. */
interface Entry {
  readonly contender: Seated;
  readonly step: number;
  /** Steps in a sample; more where they turn out to be faster than they were at first. */
  steps: number;
  readonly count: number;
  readonly samples: number[];
}

function plan(contender: Seated, step: number, { time }: Budget): Entry {
  const steps = stepsOf(step);
  const count = Math.min(MAX_SAMPLES, Math.max(MIN_SAMPLES, Math.floor(time / (steps * step))));
  return { contender, step, steps, count, samples: [] };
}

async function takeTurn(entry: Entry, mode: Mode): Promise<number> {
  const { contender } = entry;
  // Or one pays for what another left behind. Small steps leave little, and take long to be fast again after it.
  if (entry.steps === 1) await contender.collectGarbage?.();
  // Caches hold the last contender's data: some steps do not count.
  if (entry.step < LONG) {
    const step = await contender.time(mode, Math.ceil(entry.steps / 4));
    entry.steps = Math.max(entry.steps, stepsOf(step));
  }
  return contender.time(mode, entry.steps);
}

/** In a sample. */
const stepsOf = (step: number) => Math.max(1, Math.ceil(SAMPLE / step));

/** Runs until compilers and memory allocators have settled; gives an estimate of a step's time. */
async function warmUp(contender: Seated, mode: Mode, first: number, { warmUp }: Budget): Promise<number> {
  let least = first;
  let done = 1;
  let elapsed = first;
  while (elapsed < warmUp || (done < WARM_UP_STEPS && elapsed < 3 * warmUp)) {
    const steps = stepsOf(least);
    const step = await contender.time(mode, steps);
    least = Math.min(least, step);
    done += steps;
    elapsed += steps * step;
  }
  return least;
}

export function figure(samples: readonly number[]): Figure {
  if (samples.length < MIN_SAMPLES) throw new RangeError(`${samples.length} samples are too few for a figure`);
  const sorted = [...samples].sort((a, b) => a - b);
  const quantile = (q: number) => {
    const position = q * (sorted.length - 1);
    const below = sorted[Math.floor(position)];
    return below + (position % 1) * (sorted[Math.ceil(position)] - below);
  };
  return { median: quantile(0.5), lower: quantile(0.25), upper: quantile(0.75), samples: samples.length };
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
