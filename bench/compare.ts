// An older build against a newer one, value and gradient. For an older revision's build: `git worktree add /tmp/old REVISION`,
// there `npm ci && npx tsdown`, and here `npm run build && npm run bench:compare -- --old /tmp/old/dist`.
import { resolve } from 'node:path';
import { Command } from 'commander';
import { loadDawn } from '../scripts/setup/dawn.mjs';
import { bundle, startChild } from './child';
import { awaitQuiet, describe, summarize } from './load';
import { measure } from './measure';
import { NODE_BACKENDS } from './node';
import { seat } from './place';
import { number, show, table } from './report';

const SHAPES = ['128x10', '256x1000', '64x32000', '128x50257', '32x128256', '4x21x128x128', '8x50257x2'];
/** Two processes a build: they differ, too. */
const BUILDS = ['old', 'new', 'new', 'old'] as const;
const BUDGET = { time: 500, warmUp: 1000, limit: 8000 };

interface Options {
  old: string;
  new: string;
  backend: string[];
  shape: string[];
}

const options = new Command('npm run bench:compare --')
  .description(
    'Times an older build against a newer one, in turns: milliseconds as median (quartiles) of two processes each.',
  )
  .requiredOption('--old <dist>', "the older build's folder")
  .option('--new <dist>', "the newer build's", 'dist')
  .option('--backend <names...>', `any of ${NODE_BACKENDS.join(' ')}`, NODE_BACKENDS)
  .option('--shape <sizes...>', 'e.g. 256x1000', SHAPES)
  .parse()
  .opts<Options>();

process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
const { last, waited } = await awaitQuiet('everything');
console.log(describe(summarize([last], waited)));

const script = bundle('compare-place');
for (const backend of options.backend) {
  const ofDawn = backend === 'webgpu' ? (await loadDawn()).env : {};
  const children = BUILDS.map((build) => {
    // Of one TensorFlow.js for all, also where a build lies outside of any node_modules.
    const env = { ...process.env, ...ofDawn, DIST: resolve(options[build]), NODE_PATH: resolve('node_modules') };
    return { build, ...startChild(script, env) };
  });
  for (const { place } of children) await place.open(backend);
  const lines: string[][] = [];
  for (const shape of options.shape.map((text) => text.split('x').map(Number))) {
    const seats = await Promise.all(children.map(({ build, place }) => seat(build, place, shape)));
    const results = await measure(seats.flat(), BUDGET);
    const figures = (build: string) => results.filter((result) => result.backend === build);
    const cell = (build: string) =>
      figures(build)
        .map(({ time, omitted, fault }) =>
          time ? `${number(time.median)} (${number(time.lower)}-${number(time.upper)})` : (omitted ?? fault),
        )
        .join(', ');
    const sum = (build: string) => figures(build).reduce((total, { time }) => total + (time?.median ?? Number.NaN), 0);
    lines.push([show(shape), cell('old'), cell('new'), number(sum('old') / sum('new'))]);
  }
  console.log(`\n${table([backend, 'old', 'new', 'old / new'], lines)}`);
  for (const { close } of children) close();
}
