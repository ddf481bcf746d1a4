import * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import { findChromium } from '../../scripts/setup/chromium-path.mjs';
import { loadBackend } from '../fuzz/places';
import { launchChromium, serve } from '../support/browser';
import { pageFiles } from '../support/page-files';
import type { SoakPage } from './page';
import { type Figures, figures, growWasm, isRight, trainingStep } from './soak';

declare const api: SoakPage;

/** Training steps a backend: of a long run, and of a quick one. */
const STEPS: Record<string, [long: number, quick: number]> = {
  cpu: [20_000, 600],
  wasm: [20_000, 600],
  tensorflow: [5_000, 400],
  webgl: [2_000, 100],
  webgpu: [2_000, 100],
};
const CHROMIUM = ['webgl', 'webgpu'];

/** The steps between two looks: a fifth of the run each. */
const LOOKS = 5;
/** What garbage, and memory that the allocator keeps, may come to. */
const ALLOWED = { heapMB: 8, rssMB: 64 };

type Look = Figures & { readonly rssMB?: number };

const program = new Command('npm run soak --')
  .description('Trains for long, no step like the one before, and looks whether anything grows.')
  .option('--quick', 'a run of less than two minutes')
  .option('--backends <names>', `of ${Object.keys(STEPS)}`, (names) => names.split(','), Object.keys(STEPS));
const { quick = false, backends } = program.parse().opts<{ quick?: boolean; backends: string[] }>();

/** Trains on a backend in this process; on wasm its memory grows in the middle. */
async function inNode(backend: string, steps: number): Promise<Look[]> {
  await loadBackend(backend);
  if (!(await tf.setBackend(backend))) throw new Error(`${backend} does not start`);
  const looks: Look[] = [];
  for (let step = 0; step < steps; step++) {
    trainingStep(step);
    if (step === steps / 2) growWasm();
    if ((step + 1) % (steps / LOOKS) > 0) continue;
    const look = await figures(step + 1, () => process.memoryUsage().heapUsed);
    looks.push({ ...look, rssMB: Math.round(process.memoryUsage().rss / 2 ** 20) });
  }
  if (!(await isRight())) throw new Error(`${backend} is wrong after ${steps} steps`);
  return looks;
}

async function inChromium(backend: string, steps: number): Promise<Look[]> {
  process.env.CHROMIUM_PATH ??= findChromium();
  const server = await serve(pageFiles(['test/soak/page.ts']));
  const browser = await launchChromium('--js-flags=--expose-gc', '--enable-precise-memory-info');
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/page`);
    const active = await page.evaluate((name) => api.useBackend(name), backend);
    if (active !== backend) throw new Error(`${backend} does not start`);
    const looks: Look[] = [];
    for (let i = 0; i < LOOKS; i++) {
      const [from, to] = [i, i + 1].map((i) => (i * steps) / LOOKS);
      looks.push(await page.evaluate(([from, to]) => api.train(from, to), [from, to] as const));
    }
    if (!(await page.evaluate(() => api.isRight()))) throw new Error(`${backend} is wrong after ${steps} steps`);
    return looks;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** What has grown. */
function growth(looks: readonly Look[], steps: number): string[] {
  const last = looks.at(-1)!;
  const found: string[] = [];
  const same = (name: 'tensors' | 'buffers' | 'bytes' | 'ours' | 'wasmMB', from: number) => {
    if (looks.slice(from).some((look) => look[name] !== last[name])) found.push(name);
  };
  for (const name of ['tensors', 'buffers', 'bytes'] as const) same(name, 0);
  same('wasmMB', 2); // it was made to grow before the third look
  if (steps >= 1000) same('ours', 1); // until then not all kinds of steps have been made
  if (last.heapMB > looks[0].heapMB + ALLOWED.heapMB) found.push('heap');
  if ((last.rssMB ?? 0) > (looks[2].rssMB ?? 0) + ALLOWED.rssMB) found.push('RSS');
  return found;
}

for (const backend of backends) {
  const steps = STEPS[backend][quick ? 1 : 0];
  const start = Date.now();
  const looks = await (CHROMIUM.includes(backend) ? inChromium : inNode)(backend, steps);
  console.log(`\n${backend}: ${steps} steps in ${Math.round((Date.now() - start) / 1000)} s`);
  console.table(Object.fromEntries(looks.map(({ step, ...rest }) => [step, rest])));
  const grown = growth(looks, steps);
  if (grown.length === 0) continue;
  console.log(`GROWS on ${backend}: ${grown.join(', ')}`);
  process.exitCode = 1;
}
