import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBackend } from '@tensorflow/tfjs';
import { MODES, OURS_UPSTREAM, type Seated } from '../bench/contender';
import { freshArrayContender } from '../bench/fresh-array';
import { awaitQuiet, describe as describeLoad, type Look, look, summarize } from '../bench/load';
import { type Budget, figure, MIN_SAMPLES, measure, type Result } from '../bench/measure';
import { createPlace, seat } from '../bench/place';
import { faultOf, makeProblem, solve } from '../bench/problem';
import { readmeTables } from '../bench/readme-tables';
import { type Report, readReport, tables } from '../bench/report';
import { tfjsContenders } from '../bench/tfjs';

const BUDGET: Budget = { time: 1, warmUp: 0, limit: 60_000 };

const QUIET: Look = { before: 'node 4x3', busy: 0.01, average: 0.2 };
const BUSY: Look = { before: 'node 4x3', busy: 0.9, average: 7.5 };

const contender = (name: string, milliseconds: number, more: Partial<Seated> = {}): Seated => ({
  backend: 'node/cpu',
  name,
  modes: MODES,
  check: async () => null,
  time: async () => milliseconds,
  ...more,
});

const report = (results: readonly Result[], load = summarize([QUIET], 0)): Report => ({
  date: '2026-01-01',
  machine: 'a machine',
  load,
  versions: {},
  absent: ['a backend'],
  rows: results.map((result) => ({ ...result, shape: [4, 3] })),
});

describe('the benchmark', () => {
  beforeAll(() => setBackend('cpu'));

  test('knows the right answer', () => {
    const logits = Float32Array.of(2, 1, 0, 0, 0, 3);
    const { loss } = solve({ shape: [2, 3], logits, targets: Int32Array.of(0, 2) });
    expect(loss).toBeCloseTo(0.2513, 4);
  });

  test.each([
    ['a wrong loss', { loss: 1.01, gradient: [1, -1] }, 'loss 1.0100 instead of 1.0000'],
    ['a wrong gradient', { loss: 1, gradient: [1, -0.9] }, 'gradient off by 10% of its largest element'],
    ['NaN in the gradient', { loss: 1, gradient: [Number.NaN, -1] }, 'gradient off by NaN% of its largest element'],
    ['a right answer', { loss: 1.00001, gradient: [1, -1] }, null],
  ])('judges %s', (_, got, fault) => {
    expect(faultOf(got, { loss: 1, gradient: [1, -1] })).toBe(fault);
  });

  test('measures all contenders in both modes, on either layout', async () => {
    const place = createPlace(async () => (problem) => [...tfjsContenders(problem), freshArrayContender(problem)]);
    await place.open('cpu');
    const everybody = [
      'tfjs-cross-entropy',
      'tf.losses.softmaxCrossEntropy',
      'logSoftmax x one-hot',
      "layers' sparse loss",
    ];
    for (const shape of [
      [16, 10],
      [2, 5, 3, 4],
    ]) {
      const results = await measure(await seat('node/cpu', place, shape), BUDGET);
      expect(results.map(({ contender, mode, fault }) => [contender, mode, fault])).toEqual([
        ...everybody.map((name) => [name, 'forward', null]),
        ...[...everybody, "fresh array of the gradient's size"].map((name) => [name, 'gradient', null]),
      ]);
      for (const { contender, time, cost } of results) {
        expect(time!.median).toBeGreaterThan(0);
        expect(time!.samples).toBeGreaterThanOrEqual(MIN_SAMPLES);
        if (!contender.startsWith('fresh')) expect(cost!.peakBytes).toBeGreaterThan(0);
      }
    }
  });

  test('checks another upstream than 1, too', async () => {
    const contenders = tfjsContenders(makeProblem([256, 1000]));
    const upstream = contenders.find(({ name }) => name === OURS_UPSTREAM)!;
    expect(upstream.modes).toEqual(['gradient']);
    expect(await upstream.check()).toBeNull();
    for (const contender of contenders) contender.dispose!();
  });

  test('says who is wrong and who fails', async () => {
    const want = solve(makeProblem([4, 3]));
    const failing = async () => {
      throw new Error('too large');
    };
    const results = await measure(
      [
        contender('liar', 1, { check: async () => faultOf({ ...want, loss: 0 }, want) }),
        contender('failure', 1, { check: failing }),
        contender('late failure', 1, { time: failing }),
      ],
      BUDGET,
    );
    const text = tables(report(results));
    expect(text).toContain('Absent: a backend');
    expect(text).toMatch(/liar .* loss 0\.0000 instead of/);
    expect(text).toMatch(/failure +- .* fails: too large/);
    expect(text).toMatch(/late failure +- .* fails: too large/);
  });

  test('takes no figure from fewer than seven samples', async () => {
    expect(() => figure([1, 2, 3, 4, 5, 6])).toThrow('6 samples are too few');
    expect(figure([7, 1, 2, 3, 6, 5, 4])).toEqual({ median: 4, lower: 2.5, upper: 5.5, samples: 7 });
    const [fast, slow] = await measure(
      [contender('fast', 1), contender('slow', 100)].map((one) => ({ ...one, modes: ['forward'] })),
      { ...BUDGET, time: 150 },
    );
    expect([fast.time!.samples, slow.time!.samples]).toEqual([15, 7]);
    const few = JSON.stringify(report([{ ...fast, time: { ...fast.time!, samples: 6 } }]));
    expect(() => readReport(few)).toThrow('fast on node/cpu at 4x3 has 6 samples, which are too few');
  });

  test('names who is too slow, and gives no median', async () => {
    let steps = 0;
    const time = async (mode: string) => {
      steps++;
      return mode === 'forward' ? 100 : 3100;
    };
    const results = await measure(
      [contender('tfjs-cross-entropy', 1), contender('tf.losses.softmaxCrossEntropy', 0, { time })],
      { ...BUDGET, limit: 7 * 3000 },
    );
    const [, forward, , gradient] = results;
    expect(forward.time!.samples).toBe(7);
    expect(gradient.time).toBeUndefined();
    expect(gradient.omitted).toBe('too slow: one step took 3.1 s');
    expect(steps).toBe(1 + 7 + 1); // an estimate, seven samples; one
    expect(tables(report(results))).toMatch(/tf\.losses\.softmaxCrossEntropy +- .* too slow: one step took 3\.1 s/);
    expect(readmeTables(report(results))).toMatch(/\| cpu, Node +\| too slow: one step took 3\.1 s/);
  });

  test('lets all take turns', async () => {
    const turns: string[] = [];
    const noting = (name: string, step: number) =>
      contender(name, step, {
        modes: ['gradient'],
        time: async () => {
          turns.push(name);
          return step;
        },
      });
    await measure([noting('a', 200), noting('b', 400)], { ...BUDGET, time: 200 * 14 });
    const samples = turns.slice(-21).join('');
    expect(samples).toMatch(/^(aab|aba|baa){7}$/);
  });

  test('says how busy the machine was', async () => {
    const now = await look('now');
    expect(now.busy).toBeGreaterThanOrEqual(0);
    expect(now.busy).toBeLessThanOrEqual(1);

    const results = await measure([contender('tfjs-cross-entropy', 1)], BUDGET);
    const quiet = report(results);
    expect(tables(quiet)).toContain('quiet before each sitting (at most node 4x3: 1% busy, load average 0.2)');

    const load = summarize([QUIET, BUSY], 60);
    expect(load.quiet).toBe(false);
    const busy = report(results, load);
    for (const text of [tables(busy), readmeTables(busy)]) {
      expect(text).toContain('THE MACHINE WAS NOT QUIET');
      expect(text).toContain('before node 4x3: 90% busy, load average 7.5');
    }
    expect(describeLoad(readReport(JSON.stringify(busy)).load)).toBe(describeLoad(load));
  });

  test('waits for a quiet machine, but not for ever', async () => {
    const looks = [BUSY, BUSY, QUIET];
    expect((await awaitQuiet('', async () => looks.shift()!)).last).toBe(QUIET);
    expect((await awaitQuiet('', async () => BUSY, 0)).last).toBe(BUSY);
  });

  test('prints the tables of docs/performance.md from JSON, and draws the chart', async () => {
    const results = await measure([contender('tfjs-cross-entropy', 0.02), contender('other', 20)], BUDGET);
    const saved = report(results, summarize([BUSY], 60));
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    const [json, svg] = [join(folder, 'results.json'), join(folder, 'results.svg')];
    try {
      writeFileSync(json, JSON.stringify(saved));
      const command = ['--import', 'tsx', 'bench/main.ts', '--table', json, '--chart', svg];
      expect(execFileSync(process.execPath, command, { encoding: 'utf8' })).toBe(`${readmeTables(saved)}\n`);
      const chart = readFileSync(svg, 'utf8');
      expect(chart).toMatch(/>0\.1</);
      expect(chart).toContain('the machine was not quiet');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
