// gpt-tfjs, a GPT after minGPT on npm, trained on tfjs-node by its own `train`: as it is, and with this package's loss.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './median';
import { edit, install } from './project';

const [VOCABULARY, BATCH, BLOCK, STEPS] = [50_257, 8, 64, 8];

/** Theirs is called, not copied: a model and a dataset, and what a step takes. */
const program = (target: string) => `
const tf = require('@tensorflow/tfjs');
require('@tensorflow/tfjs-node');
const { GPTLMHeadModel } = require('gpt-tfjs').model;

const random = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;
const next = random(7);
const tokens = Array.from({ length: ${STEPS * BATCH * (BLOCK + 1)} }, () => Math.floor(next() * ${VOCABULARY}));
const dataset = tf.data.generator(function* () {
  for (let i = 0; i + ${BLOCK} < tokens.length; i += ${BLOCK + 1}) {
    const y = tf.tensor1d(tokens.slice(i + 1, i + ${BLOCK + 1}), 'int32');
    yield { x: tf.tensor1d(tokens.slice(i, i + ${BLOCK}), 'int32'), y: ${target} };
  }
});
const sizes = { vocabSize: ${VOCABULARY}, blockSize: ${BLOCK}, dropout: 0, embdDrop: 0, residDrop: 0, attnDrop: 0 };
const gpt = GPTLMHeadModel({ modelType: 'gpt-nano', ...sizes });
const losses = [];
const ends = [performance.now()];
const note = (model, loss) => {
  losses.push(loss);
  ends.push(performance.now());
};
gpt.train(dataset, { maxIter: ${STEPS}, batchSize: ${BATCH}, shuffle: 1, callbacks: [note] }).then(() => {
  const ms = ends.slice(1).map((end, i) => end - ends[i]);
  const peak = process.resourceUsage().maxRSS / 1000;
  process.stdout.write('\\n' + JSON.stringify({ losses, ms, peak }) + '\\n');
});
`;

interface Result {
  readonly losses: number[];
  readonly ms: number[];
  readonly peak: number;
}

const project = install('gpt-tfjs@0.0.5');

function measure(name: string, target: string): Result {
  writeFileSync(join(project.folder, `${name}.cjs`), program(target));
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  const text = execFileSync('node', [`${name}.cjs`], {
    cwd: project.folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text.trim().split('\n').at(-1)!);
}

const before = measure('before', `tf.oneHot(y, ${VOCABULARY}).toFloat()`);

const file = join(project.folder, 'node_modules/gpt-tfjs/src/train.js');
const source = readFileSync(file, 'utf8');
const changed = edit(source, [
  ["require('./optimizers')", "require('./optimizers')\nconst { crossEntropy } = require('tfjs-cross-entropy')"],
  ['tf.losses.softmaxCrossEntropy(y, logits)', 'crossEntropy(logits, y, { dim: -1 })'],
]);
writeFileSync(file, changed.text);
const after = measure('after', 'y');
project.dispose();

const row = (name: string, { losses, ms, peak }: Result) =>
  `| ${name} | ${losses[0].toFixed(4)} | ${losses.at(-1)!.toFixed(4)} | ${median(ms.slice(1)).toFixed(0)} | ${peak.toFixed(0)} |`;
console.log(
  `gpt-tfjs 0.0.5, gpt-nano, ${VOCABULARY} words, ${BATCH} sequences of ${BLOCK}: ${changed.lines} lines changed, and the dataset gives indices\n`,
);
console.log('| | first loss | last loss | ms a step, median | peak RSS, MB |\n| --- | ---: | ---: | ---: | ---: |');
console.log(row('as it is', before));
console.log(row('with this package', after));
