// TensorFlow.js's own examples mnist-core and lstm-text-generation, out of a clone of theirs, before and after, on webgl in
// Chromium: their files are served as they lie there, the changes are made on the way. `-- CLONE`
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findChromium } from '../../scripts/setup/chromium-path.mjs';
import { launchChromium, type Served, serve } from '../../test/support/browser';
import { edit } from './project';

const clone = process.argv[2];
if (!clone) throw new Error('Expected the path of a clone of tensorflow/tfjs-examples: examples/adopters/README.md');
process.env.CHROMIUM_PATH ??= findChromium();

const dist = readdirSync('dist', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
const shared: Record<string, Served> = {
  '/tf.js': { file: resolve('node_modules/@tensorflow/tfjs/dist/tf.fesm.js') },
  '/empty.js': { text: '' },
  ...Object.fromEntries(dist.map((name) => [`/ours/${name}`, { file: resolve('dist', name) } as Served])),
};
const imports = {
  '@tensorflow/tfjs': '/tf.js',
  '@tensorflow/tfjs-core': '/tf.js',
  'tfjs-cross-entropy': '/ours/index.js',
  'tfjs-cross-entropy/layers/auto': '/ours/layers-auto.js',
  https: '/empty.js',
  '/data': '/data.js', // which the example names without an ending, as bundlers have it
};

/** Counts the programs of what a page runs, and says what came of it in its title. */
const METER = `
const backend = tf.backend();
const run = backend.runWebGLProgram;
let programs = 0;
backend.runWebGLProgram = function (...args) {
  programs++;
  return run.apply(this, args);
};
const say = (losses) => { document.title = JSON.stringify({ programs, losses }); };
`;

/** Its train(), on images drawn at random: 10 of its 100 steps of 64. */
const mnist = (labels: string) => `import * as tf from '@tensorflow/tfjs';
import { train } from '/model.js';
await tf.setBackend('webgl');
${METER}
const images = tf.randomUniform([64, 784], 0, 1, 'float32', 3);
const classes = tf.tensor1d(Array.from({ length: 64 }, (_, i) => (i * 7) % 10), 'int32');
const losses = [];
const nextTrainBatch = () => {
  if (losses.length === 10) throw new Error('enough');
  return { xs: images.clone(), labels: ${labels} };
};
await train({ nextTrainBatch }, (loss) => losses.push(loss[0])).catch(({ message }) => {
  if (message !== 'enough') throw message;
});
say(losses);`;

/** Its model, compiled and fitted by its own functions to a text: an epoch of 4 batches of 128. */
const lstm = `import * as tf from '@tensorflow/tfjs';
import { createModel, compileModel, fitModel } from '/model.js';
import { TextData } from '/data.js';
await tf.setBackend('webgl');
${METER}
const text = Array.from({ length: 4000 }, (_, i) => String.fromCharCode(97 + ((i * i + 3 * i) % 61))).join('');
const model = createModel(20, new TextData('text', text, 20, 3).charSetSize(), 32);
model.setWeights(model.getWeights().map((w, i) => tf.randomNormal(w.shape, 0, 0.1, 'float32', i + 1)));
compileModel(model, 0.01);
programs = 0;
const losses = [];
const callbacks = { onBatchEnd: (_, logs) => { losses.push(logs.loss); } };
await fitModel(model, new TextData('text', text, 20, 3), 1, 512, 128, 0, callbacks);
say(losses);`;

const text = (example: string, file: string) => readFileSync(join(clone, example, file), 'utf8');
const core = text('mnist-core', 'model.js');
const coreChanged = edit(core, [
  ["from '@tensorflow/tfjs';", "from '@tensorflow/tfjs';\nimport {crossEntropy} from 'tfjs-cross-entropy';"],
  ['tf.losses.softmaxCrossEntropy(labels, ys).mean()', 'crossEntropy(ys, labels)'],
]);
const lstmModel = text('lstm-text-generation', 'model.js');
const lstmChanged = edit(lstmModel, [
  ["from '@tensorflow/tfjs';", "from '@tensorflow/tfjs';\nimport 'tfjs-cross-entropy/layers/auto';"],
]);

const browser = await launchChromium();

/** What the page of a program says. */
async function run(program: string, files: Record<string, string>): Promise<{ programs: number; losses: number[] }> {
  const head = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>`;
  const server = await serve({
    ...shared,
    '/': { text: `${head}<script type="module" src="/main.js"></script>` },
    '/main.js': { text: program },
    ...Object.fromEntries(Object.entries(files).map(([name, code]) => [name, { text: code }])),
  });
  const page = await browser.newPage();
  try {
    page.on('pageerror', (error) => console.error(error));
    await page.goto(server.url, { waitUntil: 'commit' });
    await page.waitForFunction('document.title !== ""', undefined, { timeout: 300_000 });
    return JSON.parse(await page.title());
  } finally {
    await page.close();
    await server.close();
  }
}

const data = { '/data.js': text('lstm-text-generation', 'data.js') };
const rows = [
  ['mnist-core', 'as it is', 0, await run(mnist('tf.oneHot(classes, 10)'), { '/model.js': core })],
  [
    'mnist-core',
    'with crossEntropy',
    coreChanged.lines,
    await run(mnist('classes.clone()'), { '/model.js': coreChanged.text }),
  ],
  ['lstm-text-generation', 'as it is', 0, await run(lstm, { '/model.js': lstmModel, ...data })],
  [
    'lstm-text-generation',
    'with layers/auto',
    lstmChanged.lines,
    await run(lstm, { '/model.js': lstmChanged.text, ...data }),
  ],
] as const;
await browser.close();
console.log(
  '| example | | lines changed | programs in all | steps | first loss | last loss |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |',
);
for (const [example, what, lines, { programs, losses }] of rows) {
  const [first, last] = [losses[0], losses.at(-1)!].map((loss) => loss.toFixed(4));
  console.log(`| ${example} | ${what} | ${lines} | ${programs} | ${losses.length} | ${first} | ${last} |`);
}
