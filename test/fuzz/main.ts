import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import fc from 'fast-check';
import { findChromium } from '../../scripts/setup/chromium-path.mjs';
import { loadDawn } from '../../scripts/setup/dawn.mjs';
import { launchChromium, serve } from '../support/browser';
import { bundleForNode, startProcess } from '../support/child';
import { pageFiles } from '../support/page-files';
import { fuzzCase } from './cases';
import { solve } from './functions';
import { judgeCalls, shrinkCall } from './hostile';
import { faultOfReference, judge, placeOf, type Verdict } from './judge';
import type { FuzzPage, HostileApi } from './page';
import { activate, backendOf, CHROMIUM, DAWN, loadBackend, NODE } from './places';
import { type FuzzCase, toJSON } from './problem';
import { incomparable, type PyTorch, startPyTorch } from './pytorch';
import type { Solution } from './reference';
import { shrink } from './shrink';

declare const api: FuzzPage;

/** What can say whether cases are right. */
interface Judge {
  readonly name: string;
  judge(cases: readonly FuzzCase[], solutions: readonly Solution[]): Promise<Verdict[]>;
  /** It gets each case whose number is divisible by this. */
  readonly every: number;
}

/** The same of hostile calls, which are drawn where they are made: not everything in them can be sent there. */
interface HostileJudge extends HostileApi {
  readonly name: string;
}

const BATCH = 100;
const CASES = 'test/oracle/fuzz.json';

const today = () => Number(new Date().toISOString().slice(0, 10).replaceAll('-', ''));

const program = new Command('npm run fuzz --')
  .description('Random calls, and what they give on each backend against PyTorch, or a float64 reference.')
  .option('--cases <n>', 'how many', Number, 1000)
  .option('--hostile <n>', 'how many calls as nobody should make them', Number, 1000)
  .option('--seed <n>', 'a seed; by default the date', Number, today())
  .option('--backends <names>', `of ${[...NODE, ...CHROMIUM, ...DAWN].join(', ')}`, (names) => names.split(','), NODE)
  .option('--share <n>', 'webgl, webgpu and dawn get one of so many cases', Number, 25)
  .option('--seconds <n>', 'stop after so long', Number, Number.POSITIVE_INFINITY)
  .option('--no-keep', `do not add failures to ${CASES}`)
  .option('--python <file>', 'an interpreter that has PyTorch', process.env.PYTHON ?? 'python3');

const options = program.parse().opts<{
  cases: number;
  hostile: number;
  seed: number;
  backends: string[];
  share: number;
  seconds: number;
  keep: boolean;
  python: string;
}>();

function referenceBy(pytorch: PyTorch): Judge {
  return {
    name: `reference by PyTorch ${pytorch.version}`,
    every: 1,
    async judge(cases) {
      const answers = await pytorch.solve(cases);
      return cases.map((test, i) => {
        const fault = faultOfReference(solve(test, 'as in PyTorch'), answers[i], incomparable(test));
        return { fault, worst: 0, compared: 1, undecided: 0 };
      });
    },
  };
}

const inNode = (name: string): Judge & HostileJudge => ({
  name,
  every: 1,
  async judgeCalls(seed, count) {
    await activate(name);
    return judgeCalls(seed, count, placeOf(backendOf(name)));
  },
  shrinkCall: (seed, index) => shrinkCall(seed, index, placeOf(backendOf(name))),
  async judge(cases, solutions) {
    await activate(name);
    const verdicts: Verdict[] = [];
    for (const [i, test] of cases.entries()) verdicts.push(await judge(test, placeOf(backendOf(name)), solutions[i]));
    return verdicts;
  },
});

async function openChromium(
  names: readonly string[],
  closes: (() => Promise<void>)[],
): Promise<(Judge & HostileJudge)[]> {
  if (names.length === 0) return [];
  process.env.CHROMIUM_PATH ??= findChromium();
  const server = await serve(pageFiles(['test/fuzz/page.ts']));
  const browser = await launchChromium();
  closes.push(
    () => browser.close(),
    () => server.close(),
  );
  return Promise.all(
    names.map(async (name) => {
      const page = await browser.newPage();
      await page.goto(`${server.url}/page`);
      const active = await page.evaluate((name) => api.useBackend(name), name);
      if (active !== name) throw new Error(`${name} does not start in Chromium`);
      return {
        name,
        every: options.share,
        judge: (cases: readonly FuzzCase[]) => page.evaluate((cases) => api.judge(cases), cases.map(toJSON)),
        judgeCalls: (...args) => page.evaluate((args) => api.judgeCalls(...args), args),
        shrinkCall: (...args) => page.evaluate((args) => api.shrinkCall(...args), args),
      };
    }),
  );
}

async function openDawn(closes: (() => Promise<void>)[]): Promise<Judge & HostileJudge> {
  const { ok, env, reason } = await loadDawn();
  if (!ok) throw new Error(`Dawn does not start: ${reason}`);
  const dawn = startProcess(bundleForNode('test/fuzz/dawn.ts', 'output/fuzz-dawn.cjs'), { ...process.env, ...env });
  closes.push(async () => dawn.close());
  const active = await dawn.call('useBackend', ['webgpu']);
  if (active !== 'webgpu') throw new Error('webgpu does not start on Dawn');
  return {
    name: 'dawn',
    every: options.share,
    judge: (cases) => dawn.call('judge', [cases.map(toJSON)]) as Promise<Verdict[]>,
    judgeCalls: (...args) => dawn.call('judgeCalls', args) as ReturnType<HostileApi['judgeCalls']>,
    shrinkCall: (...args) => dawn.call('shrinkCall', args) as ReturnType<HostileApi['shrinkCall']>,
  };
}

/** Adds a case to those that the tests run on every backend. */
function keep(test: FuzzCase, foundBy: string, fault: string): void {
  const entries = existsSync(CASES) ? JSON.parse(readFileSync(CASES, 'utf8')) : [];
  entries.push({ foundBy, fault: fault.split('\n')[0], case: JSON.parse(toJSON(test)) });
  writeFileSync(CASES, `[\n${entries.map((entry: object) => JSON.stringify(entry)).join(',\n')}\n]\n`);
}

/** Faults that differ in their numbers only are of a kind. */
const kindOf = (fault: string) => fault.replace(/[-\d.e+]+/g, '#').slice(0, 80);

/** A seed of its own for each batch, and each day. */
const seedOf = (seed: number, batch: number) => (Math.imul(seed, 1000) + batch) | 0;

/** Draws cases and has each judge look at its share; gives how many were wrong. */
async function fuzz(judges: readonly Judge[]): Promise<number> {
  const { cases: count, seed, seconds } = options;
  const totals = new Map(
    judges.map((judge) => [judge, { cases: 0, compared: 0, undecided: 0, worst: 0, wrong: 0, ms: 0 }]),
  );
  const faults = new Set<string>();
  const start = Date.now();
  let done = 0;
  for (; done < count && Date.now() - start < 1000 * seconds; done += BATCH) {
    const batchSeed = seedOf(seed, done / BATCH);
    const cases = fc.sample(fuzzCase, { seed: batchSeed, numRuns: Math.min(BATCH, count - done) });
    const solutions = cases.map((test) => solve(test));
    for (const judge of judges) {
      const total = totals.get(judge)!;
      const mine = [...cases.keys()].filter((i) => (done + i) % judge.every === 0);
      const before = Date.now();
      const verdicts = await judge.judge(
        mine.map((i) => cases[i]),
        mine.map((i) => solutions[i]),
      );
      total.ms += Date.now() - before;
      for (const [k, { fault, worst, compared, undecided }] of verdicts.entries()) {
        total.cases++;
        total.compared += compared;
        total.undecided += undecided;
        total.worst = Math.max(total.worst, worst);
        if (fault === null) continue;
        total.wrong++;
        const kind = `${judge.name} ${cases[mine[k]].kind} ${kindOf(fault)}`;
        if (faults.has(kind)) continue; // one of a kind is enough
        faults.add(kind);
        console.log(`\nWRONG on ${judge.name} (number ${mine[k]} of seed ${batchSeed}): ${fault}`);
        const smaller = await shrink(fuzzCase, batchSeed, mine[k], async (test) => {
          const [{ fault }] = await judge.judge([test], [solve(test)]);
          return fault;
        });
        console.log(`shrunk: ${smaller.fault}\n${toJSON(smaller.value)}`);
        if (options.keep) keep(smaller.value, judge.name, smaller.fault);
      }
    }
  }
  const seconds_ = Math.round((Date.now() - start) / 1000);
  console.log(`\n${Math.min(done, count)} cases in ${seconds_} s, --seed ${seed}`);
  console.table(
    Object.fromEntries(
      [...totals].map(([{ name }, { cases, compared, undecided, worst, wrong, ms }]) => [
        name,
        {
          cases,
          'numbers compared': compared,
          undecided,
          'largest error / allowed': Number(worst.toPrecision(3)),
          'ms a case': Number((ms / Math.max(cases, 1)).toPrecision(3)),
          wrong,
        },
      ]),
    ),
  );
  return [...totals.values()].reduce((sum, total) => sum + total.wrong, 0);
}

/** Draws hostile calls for each backend; gives how many went wrong. */
async function harass(judges: readonly HostileJudge[]): Promise<number> {
  const { hostile: count, seed } = options;
  const table: Record<string, Record<string, number>> = {};
  const faults = new Set<string>();
  let wrong = 0;
  const note = (what: string, { name }: HostileJudge) => {
    table[what] ??= Object.fromEntries(judges.map(({ name }) => [name, 0]));
    table[what][name]++;
  };
  for (let done = 0; done < count; done += BATCH) {
    const batchSeed = seedOf(seed, done / BATCH);
    for (const judge of judges) {
      const outcomes = await judge.judgeCalls(batchSeed, Math.min(BATCH, count - done));
      for (const [i, { name, fault, thrown }] of outcomes.entries()) {
        note(fault !== null ? 'WRONG' : (thrown ?? 'nothing: right'), judge);
        if (fault === null) continue;
        wrong++;
        const kind = `${judge.name} ${name} ${kindOf(fault)}`;
        if (faults.has(kind)) continue; // one of a kind is enough
        faults.add(kind);
        console.log(`\nWRONG on ${judge.name} (number ${i} of seed ${batchSeed}): ${fault}`);
        const smaller = await judge.shrinkCall(batchSeed, i);
        console.log(`shrunk: ${smaller.fault}\n${smaller.call}`);
      }
    }
  }
  console.log(`\n${count} hostile calls a backend, --seed ${seed}. What was thrown:`);
  console.table(Object.fromEntries(Object.entries(table).sort(([a], [b]) => a.localeCompare(b))));
  return wrong;
}

async function main(): Promise<void> {
  const closes: (() => Promise<void>)[] = [];
  const judges: Judge[] = [];
  const pytorch = await startPyTorch(options.python);
  if (pytorch) {
    judges.push(referenceBy(pytorch));
    closes.push(async () => pytorch.close());
  } else console.log(`No PyTorch: \`${options.python} -c "import torch"\` fails. The float64 reference is the oracle.`);
  tf.enableProdMode();
  const chosen = (names: readonly string[]) => options.backends.filter((name) => names.includes(name));
  const backends: (Judge & HostileJudge)[] = [];
  for (const name of chosen(NODE)) {
    await loadBackend(name);
    backends.push(inNode(name));
  }
  backends.push(...(await openChromium(chosen(CHROMIUM), closes)));
  if (chosen(DAWN).length > 0) backends.push(await openDawn(closes));
  try {
    const wrong = (await fuzz([...judges, ...backends])) + (await harass(backends));
    if (wrong > 0) process.exitCode = 1;
  } finally {
    for (const close of closes) await close();
  }
}

await main();
