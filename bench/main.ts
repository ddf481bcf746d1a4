import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { version_core } from '@tensorflow/tfjs';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';
import { findChromium } from '../scripts/setup/chromium-path.mjs';
import { chart } from './chart';
import { CHROMIUM_BACKENDS, startChromium } from './chromium';
import type { Budget } from './measure';
import { NODE_BACKENDS, openNode } from './node';
import { startPyTorch } from './pytorch';
import { type Report, type Row, show, tables } from './report';

/** [N, C], and channels-first [N, C, H, W]. */
const SHAPES = [
  [128, 10],
  [256, 1000],
  [64, 32000],
  [128, 50257],
  [32, 128256],
  [4, 21, 128, 128],
];
const QUICK_SHAPES = [SHAPES[0], SHAPES[1], SHAPES[5]];

const FULL: Budget = { time: 500, warmUp: 500, patience: 1000 };
const QUICK: Budget = { time: 100, warmUp: 50, patience: 200 };

const IDS = [...NODE_BACKENDS.map((name) => `node/${name}`), ...CHROMIUM_BACKENDS.map((name) => `chromium/${name}`)];

interface Options {
  quick?: true;
  backend: string[];
  shape?: number[][];
  json?: string | true;
  chart: string;
}

const options = new Command('npm run bench --')
  .description('Times cross-entropy on every backend that is there, against what else there is. Answers are checked.')
  .option('--quick', 'three shapes, short samples')
  .option('--backend <names...>', `any of ${IDS.join(' ')}; cpu or wasm alone means both`, parseBackend, [])
  .option('--shape <sizes...>', 'e.g. 256x1000 or 4x21x128x128, the classes second', parseShape)
  .option('--json [file]', 'writes the figures as JSON: to a file, or in place of the tables')
  .option('--chart <file>', 'where to draw the chart', 'output/bench.svg')
  .parse()
  .opts<Options>();

// Two runtimes whose threads spin while they wait would slow each other down.
process.env.OMP_WAIT_POLICY ??= 'passive';
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

const report = await run();
write(options.chart, chart(report));
if (options.json === true) {
  console.log(JSON.stringify(report, null, 2));
} else {
  console.log(tables(report));
  if (options.json) write(options.json, `${JSON.stringify(report, null, 2)}\n`);
}

async function run(): Promise<Report> {
  const ids = options.backend.length > 0 ? IDS.filter((id) => options.backend.includes(id)) : IDS;
  const shapes = options.shape ?? (options.quick ? QUICK_SHAPES : SHAPES);
  const budget = options.quick ? QUICK : FULL;
  const versions: Record<string, string> = { Node: process.versions.node, 'TensorFlow.js': version_core };
  const absent: string[] = [];
  const rows: Row[] = [];

  const python = process.env.PYTHON ?? 'python3';
  const pytorch = ids.some((id) => id.startsWith('node/')) ? await startPyTorch(python) : null;
  if (pytorch) versions.PyTorch = pytorch.version;
  else absent.push(`PyTorch (\`${python} -c "import torch"\` fails; the environment's PYTHON names another)`);

  const executable = findChromium();
  if (executable) process.env.CHROMIUM_PATH = executable;
  const chromium = executable && ids.some((id) => id.startsWith('chromium/')) ? await startChromium() : null;
  if (chromium) versions.Chromium = chromium.version;

  const bar = new SingleBar({ format: '{bar} {value}/{total} {id} {shape}', clearOnComplete: true });
  bar.start(ids.length * shapes.length, 0, { id: '', shape: '' });
  for (const id of ids) {
    const [place, backend] = id.split('/');
    try {
      if (place === 'chromium' && !chromium) throw new Error('no Chromium; `npm run setup` says why');
      const open = place === 'node' ? await openNode(backend, pytorch) : await chromium!.open(backend);
      for (const shape of shapes) {
        bar.update({ id, shape: show(shape) });
        const results = await open.measure(shape, budget);
        rows.push(...results.map((result) => ({ backend: id, shape, ...result })));
        bar.increment();
      }
      await open.close();
    } catch (error) {
      absent.push(`${id}: ${(error as Error).message}`);
    }
  }
  bar.stop();
  pytorch?.close();
  await chromium?.close();
  const { model } = cpus()[0];
  return { date: new Date().toISOString().slice(0, 10), machine: model.trim(), versions, absent, rows };
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
