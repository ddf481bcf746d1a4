import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** How busy the machine was when nothing of the benchmark's own ran. */
export interface Load {
  readonly cpus: number;
  readonly quiet: boolean;
  /** Seconds for which the sittings waited, in vain where it was not quiet then. */
  readonly waited: number;
  /** One before each sitting. */
  readonly looks: readonly Look[];
}

export interface Look {
  readonly before: string;
  /** The share of the processors' time that was used, 0 to 1. */
  readonly busy: number;
  /** The system's own average of the last minute, in processes. */
  readonly average: number;
}

/** More than this share is not quiet. */
const QUIET = 0.15;
/** Milliseconds. */
const LOOK = 2000;
const PATIENCE = 60_000;

/** Looks at the machine; `before` says what comes then. */
export async function look(before: string): Promise<Look> {
  const start = processorTimes();
  await sleep(LOOK);
  const end = processorTimes();
  const [average] = loadavg();
  const share = (end.used - start.used) / (end.all - start.all);
  return { before, busy: Number.isFinite(share) ? share : average / cpus().length, average };
}

/** Looks until the machine is quiet, for a minute at most. */
export async function awaitQuiet(before: string, lookNow = look, patience = PATIENCE) {
  const start = performance.now();
  for (;;) {
    const last = await lookNow(before);
    const waited = performance.now() - start;
    if (isQuiet(last) || waited > patience) return { last, waited: Math.round(waited / 1000) };
  }
}

export const summarize = (looks: readonly Look[], waited: number): Load => ({
  cpus: cpus().length,
  quiet: looks.every(isQuiet),
  waited,
  looks,
});

const isQuiet = ({ busy }: Look) => busy <= QUIET;

/** The load in words; loud where figures are not to be trusted. */
export function describe({ cpus, quiet, waited, looks }: Load): string {
  const percent = (share: number) => `${Math.round(100 * share)}%`;
  const text = ({ before, busy, average }: Look) =>
    `${before}: ${percent(busy)} busy, load average ${average.toFixed(1)}`;
  const worst = looks.reduce((a, b) => (a.busy > b.busy ? a : b));
  if (quiet) return `${cpus} processors, quiet before each sitting (at most ${text(worst)})`;
  const loud = looks.filter((one) => !isQuiet(one)).map(text);
  return (
    `!!! THE MACHINE WAS NOT QUIET: the times below are those of a disturbed machine (${cpus} processors, ` +
    `waited ${waited} s for it) !!!\n${loud.map((line) => `  before ${line}`).join('\n')}`
  );
}

function processorTimes() {
  let [used, all] = [0, 0];
  for (const { times } of cpus()) {
    const total = Object.values(times).reduce((a, b) => a + b, 0);
    all += total;
    used += total - times.idle;
  }
  return { used, all };
}
