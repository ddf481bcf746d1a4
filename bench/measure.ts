import { type Contender, type Cost, MODES, type Mode } from './contender';
import { type Answer, faultOf } from './problem';

/** How long to measure. */
export interface Budget {
  /** Milliseconds for each contender and mode. */
  readonly time: number;
  readonly warmUp: number;
  /** A step that takes longer than this many milliseconds is not repeated. */
  readonly patience: number;
}

export interface Result {
  readonly contender: string;
  readonly mode: Mode;
  /** Why the answer is wrong, or could not be had. */
  readonly fault: string | null;
  /** Milliseconds a step, absent where it could not run. */
  readonly time?: { readonly median: number; readonly lower: number; readonly upper: number; readonly samples: number };
  readonly cost?: Cost;
}

/** Least length of a sample, in milliseconds: clocks in a page tick every 0.1 ms. */
const SAMPLE = 4;
const MAX_SAMPLES = 25;
const MIN_SAMPLES = 3;

/** Checks every contender's answer, then times those that have one, taking turns. */
export async function measure(contenders: readonly Contender[], want: Answer, budget: Budget): Promise<Result[]> {
  const faults = new Map<Contender, string | null>();
  const running: Contender[] = [];
  for (const contender of contenders) {
    try {
      faults.set(contender, faultOf(await contender.answer(), want));
      running.push(contender);
    } catch (error) {
      faults.set(contender, `fails: ${(error as Error).message}`);
    }
    collectGarbage();
  }
  const results: Result[] = [];
  for (const mode of MODES) {
    const samples = await takeTurns(running, mode, budget);
    for (const contender of contenders) {
      const result = { contender: contender.name, mode, fault: faults.get(contender)! };
      const taken = samples.get(contender);
      results.push(taken ? { ...result, time: summary(taken), cost: await contender.cost?.(mode) } : result);
    }
  }
  return results;
}

/** The times of a step, by contender. What disturbs the machine for a while disturbs all of them. */
async function takeTurns(contenders: readonly Contender[], mode: Mode, budget: Budget) {
  const entries = [];
  for (const contender of contenders) {
    const step = await warmUp(contender, mode, budget);
    const steps = Math.max(1, Math.ceil(SAMPLE / step));
    const wanted = Math.floor(budget.time / (steps * step));
    const least = step > budget.patience ? 1 : MIN_SAMPLES;
    entries.push({ contender, steps, count: Math.min(MAX_SAMPLES, Math.max(least, wanted)), samples: [] as number[] });
  }
  for (let round = 0; entries.some(({ count }) => round < count); round++) {
    for (const { contender, steps, count, samples } of entries) {
      if (round >= count) continue;
      // Or one pays for what another left behind. Small steps leave little, and take long to be fast again after it.
      if (steps === 1) collectGarbage();
      samples.push(await contender.time(mode, steps));
    }
  }
  return new Map(entries.map(({ contender, samples }) => [contender, samples]));
}

/** Runs until compilers and memory allocators have settled; gives an estimate of a step's time. */
async function warmUp(contender: Contender, mode: Mode, { warmUp, patience }: Budget): Promise<number> {
  let step = await contender.time(mode, 1);
  if (step > patience) return step;
  const until = performance.now() + warmUp;
  for (let runs = 0; runs < 2 || performance.now() < until; runs++) {
    step = await contender.time(mode, Math.max(1, Math.ceil(SAMPLE / step)));
  }
  return step;
}

/** The median, and the quartiles as the spread. */
function summary(samples: number[]) {
  const sorted = [...samples].sort((a, b) => a - b);
  const quantile = (q: number) => {
    const position = q * (sorted.length - 1);
    const below = sorted[Math.floor(position)];
    return below + (position % 1) * (sorted[Math.ceil(position)] - below);
  };
  return { median: quantile(0.5), lower: quantile(0.25), upper: quantile(0.75), samples: samples.length };
}

/** `npm run bench` keeps V8 from throwing away what is compiled, which it does with code that no round of this finds in use. */
function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
