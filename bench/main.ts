import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { version_core } from '@tensorflow/tfjs';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';
import { chart } from './chart';
import { CHROMIUM_BACKENDS, openChromium } from './chromium';
import type { Seated } from './contender';
import { awaitQuiet, type Look, summarize } from './load';
import { type Budget, measure } from './measure';
import { NODE_BACKENDS, openNode } from './node';
import { readmeTables } from './readme-tables';
import { type Report, type Row, readReport, show, tables } from './report';

/** [N, C], and channels-first [N, C, H, W]. */
const SHAPES = [
  [128, 10],
  [256, 1000],
  [64, 32000],
  [32, 128256],
  [4, 21, 128, 128],
];
/** In Node alone: few positions follow the class dimension. */
const NODE_SHAPES = [...SHAPES, [8, 50257, 2]];
const QUICK_SHAPES = [
  [128, 10],
  [256, 1000],
  [4, 21, 64, 64],
];

const FULL: Budget = { time: 400, warmUp: 300, limit: 8000 };
const QUICK: Budget = { time: 70, warmUp: 50, limit: 2000 };

const IDS = [...NODE_BACKENDS.map((name) => `node/${name}`), ...CHROMIUM_BACKENDS.map((name) => `chromium/${name}`)];

interface Options {
  quick?: true;
  backend: string[];
  shape?: number[][];
  json?: string | true;
  chart?: string;
  table?: string;
}

const options = new Command('npm run bench --')
  .description('Times cross-entropy on every backend that is there, against what else there is. Answers are checked.')
  .option('--quick', 'three shapes, short samples')
  .option('--backend <names...>', `any of ${IDS.join(' ')}; cpu or wasm alone means both`, parseBackend, [])
  .option('--shape <sizes...>', 'e.g. 256x1000 or 4x21x128x128, the classes second', parseShape)
  .option('--json [file]', 'writes the figures as JSON: to a file, or in place of the tables')
  .option('--chart <file>', 'where to draw the chart (default: output/bench.svg)')
  .option(
    '--table <file>',
    'measures nothing: prints the tables of docs/performance.md from such a JSON file, and draws --chart',
  )
  .parse()
  .opts<Options>();

// Two runtimes whose threads spin while they wait would slow each other down.
process.env.OMP_WAIT_POLICY ??= 'passive';
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

if (options.table) {
  const report = readReport(readFileSync(options.table, 'utf8'));
  console.log(readmeTables(report));
  if (options.chart) write(options.chart, chart(report));
} else {
  const report = await run();
  write(options.chart ?? 'output/bench.svg', chart(report));
  const json = JSON.stringify(report, null, 2);
  console.log(options.json === true ? json : tables(report));
  if (typeof options.json === 'string') write(options.json, `${json}\n`);
}

async function run(): Promise<Report> {
  const ids = options.backend.length > 0 ? IDS.filter((id) => options.backend.includes(id)) : IDS;
  const runtimes = { node: openNode, chromium: openChromium };
  const versions: Record<string, string> = { Node: process.versions.node, 'TensorFlow.js': version_core };
  const absent: string[] = [];
  const rows: Row[] = [];
  const looks: Look[] = [];
  let waited = 0;

  const bar = new SingleBar({ format: '{bar} {value}/{total} {sitting}', clearOnComplete: true });
  bar.start(0, 0, { sitting: '' });
  for (const [name, open] of Object.entries(runtimes)) {
    const own = ids.filter((id) => id.startsWith(`${name}/`));
    if (own.length === 0) continue;
    const runtime = await open(own, { absent, versions });
    const shapes = shapesOf(name);
    bar.setTotal(bar.getTotal() + shapes.length);
    for (const shape of shapes) {
      const sitting = `${name} ${show(shape)}`;
      bar.update({ sitting });
      // What the last sitting has left may still be at work: a driver, a browser that closes, a garbage collector.
      const quiet = await awaitQuiet(sitting);
      looks.push(quiet.last);
      waited += quiet.waited;
      const contenders: Seated[] = [];
      for (const [id, enter] of Object.entries(runtime.entrances)) {
        try {
          contenders.push(...(await enter(shape)));
        } catch (error) {
          absent.push(`${id} at ${show(shape)}: ${(error as Error).message}`);
        }
      }
      const results = await measure(contenders, options.quick ? QUICK : FULL);
      rows.push(...results.map((result) => ({ ...result, shape })));
      bar.increment();
    }
    await runtime.close();
  }
  bar.stop();
  const machine = cpus()[0].model.trim();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine,
    load: summarize(looks, waited),
    versions,
    absent,
    rows,
  };
}

function shapesOf(runtime: string): number[][] {
  if (options.shape) return options.shape;
  if (options.quick) return QUICK_SHAPES;
  return runtime === 'node' ? NODE_SHAPES : SHAPES;
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function parseBackend(name: string, others: string[]): string[] {
  const ids = IDS.filter((id) => id === name || id.endsWith(`/${name}`));
  if (ids.length === 0) throw new InvalidArgumentError(`There are ${IDS.join(', ')}.`);
  return [...others, ...ids];
}

function parseShape(text: string, others: number[][] = []): number[][] {
  const shape = text.split('x').map(Number);
  if (shape.length < 2 || !shape.every((size) => Number.isInteger(size) && size > 0)) {
    throw new InvalidArgumentError('Give two sizes or more, as in 256x1000.');
  }
  return [...others, shape];
}
