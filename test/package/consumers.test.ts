import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describeWith } from '../support/backends';
import { launchChromium, serve } from '../support/browser';

/** The packed tarball as strangers use it: nothing here may see the sources. */
const TFJS = resolve('node_modules/@tensorflow/tfjs/dist/tf.min.js');
const PROGRAM = `
const target = tf.tensor1d([0, 2], 'int32');
const gradient = tf.grad((x) => crossEntropy(x, target))(tf.tensor2d([[2, 1, 0], [0, 0, 3]]));
const criterion = new CrossEntropyLoss({ labelSmoothing: 0.1 });
const loss = criterion.forward(tf.tensor2d([[2, 1, 0], [0, 0, 3]]), target);
const answer = loss.dataSync()[0].toFixed(4) + ' ' + gradient.dataSync()[0].toFixed(4);`;
const ANSWER = '0.4013 -0.1674';

let folder: string;
const inFolder = (file: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
};
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

beforeAll(() => {
  if (!existsSync('dist/index.js')) throw new Error('dist/ is missing: run `npm run build` first.');
  folder = mkdtempSync(join(tmpdir(), 'consumer-'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder]);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  const quiet = ['--no-audit', '--no-fund', '--silent', '--prefer-offline', '--ignore-scripts'];
  inFolder('npm', 'install', ...quiet, `./${tarball}`, '@tensorflow/tfjs@4.22.0');
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('from an ES module', () => {
  write(
    'esm.mjs',
    `import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, crossEntropy } from 'tfjs-cross-entropy';${PROGRAM}
console.log(answer);`,
  );
  expect(inFolder('node', 'esm.mjs')).toContain(ANSWER);
});

test('from CommonJS', () => {
  write(
    'cjs.cjs',
    `const tf = require('@tensorflow/tfjs');
const { CrossEntropyLoss, crossEntropy } = require('tfjs-cross-entropy');${PROGRAM}
console.log(answer);`,
  );
  expect(inFolder('node', 'cjs.cjs')).toContain(ANSWER);
});

test.each([
  ['node16', 'esm.mts'],
  ['node16', 'cjs.cts'],
  ['bundler', 'bundled.ts'],
])('from strict TypeScript, module resolution %s (%s)', (moduleResolution, file) => {
  write(
    file,
    `import * as tf from '@tensorflow/tfjs-core';
import { CrossEntropyLoss, crossEntropy, type CrossEntropyOptions } from 'tfjs-cross-entropy';
const options: CrossEntropyOptions = { reduction: 'mean', weight: [1, 2, 3] };
const x: tf.Tensor2D = tf.tensor2d([[2, 1, 0]]);
const t: tf.Tensor1D = tf.tensor1d([0], 'int32');
const mean: tf.Scalar = crossEntropy(x, t);
const rows: tf.Tensor = crossEntropy(x, t, { ...options, reduction: 'none' });
const criterion: CrossEntropyLoss = new CrossEntropyLoss(options);
// @ts-expect-error: PyTorch's spelling
crossEntropy(x, t, { ignore_index: 1 });
// @ts-expect-error: readonly
criterion.ignoreIndex = 3;
export { criterion, mean, rows };`,
  );
  const module = moduleResolution === 'bundler' ? 'esnext' : 'node16';
  const compilerOptions = { noEmit: true, strict: true, target: 'es2020', module, moduleResolution, types: [] };
  write(
    'tsconfig.json',
    JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: true }, files: [file] }),
  );
  inFolder('node', resolve('node_modules/typescript/bin/tsc'), '-p', '.');
});

test('through a bundler for Node', () => {
  write(
    'app.mjs',
    `import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, crossEntropy } from 'tfjs-cross-entropy';${PROGRAM}
console.log(answer);`,
  );
  inFolder(
    resolve('node_modules/.bin/esbuild'),
    'app.mjs',
    '--bundle',
    '--minify',
    '--platform=node',
    '--outfile=app.cjs',
  );
  expect(inFolder('node', 'app.cjs')).toContain(ANSWER);
});

describeWith('CHROMIUM_PATH')('from a page', () => {
  async function titleOf(files: Parameters<typeof serve>[0]) {
    const server = await serve(files);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(server.url);
      return { title: await page.title(), errors };
    } finally {
      await browser.close();
      await server.close();
    }
  }
  const iife = () => join(folder, 'node_modules/tfjs-cross-entropy/dist/tfjs-cross-entropy.min.js');

  test('with script tags', async () => {
    const page = `<!doctype html><script src="/tf.js"></script><script src="/ce.js"></script><script>
const { CrossEntropyLoss, crossEntropy } = tfjsCrossEntropy;${PROGRAM}
document.title = answer;</script>`;
    const result = await titleOf({ '/': { text: page }, '/tf.js': { file: TFJS }, '/ce.js': { file: iife() } });
    expect(result).toEqual({ title: ANSWER, errors: [] });
  }, 60_000);

  const bundled = (name: string, text: string) => {
    write(`${name}.mjs`, text);
    const lib = { entry: `${name}.mjs`, formats: ['iife'], name, fileName: name };
    write('vite.config.mjs', `export default ${JSON.stringify({ build: { lib, outDir: name } })}`);
    inFolder('node', resolve('node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error');
    return { file: join(folder, name, readdirSync(join(folder, name))[0]) };
  };

  test('through vite', async () => {
    const app = bundled(
      'app',
      `import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, crossEntropy } from 'tfjs-cross-entropy';${PROGRAM}
document.title = answer;`,
    );
    const page = '<!doctype html><script src="/app.js"></script>';
    expect(await titleOf({ '/': { text: page }, '/app.js': app })).toEqual({ title: ANSWER, errors: [] });
  }, 120_000);

  test('with a second copy of tfjs-core, bundled with this package', async () => {
    const second = bundled('second', `export { crossEntropy, CrossEntropyLoss } from 'tfjs-cross-entropy';`);
    const page = `<!doctype html><script src="/tf.js"></script><script src="/second.js"></script><script>
const { CrossEntropyLoss, crossEntropy } = second;${PROGRAM}
document.title = answer;</script>`;
    const files = { '/': { text: page }, '/tf.js': { file: TFJS }, '/second.js': second };
    expect(await titleOf(files)).toEqual({ title: ANSWER, errors: [] });
  }, 120_000);
});
