import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describeWith } from '../support/backends';
import { launchChromium, serve } from '../support/browser';
import { Consumer } from '../support/consumer';
import { expectPromised, PAGES, README, snippetsOf } from '../support/snippets';

/** README and the page on Layers as a stranger follows them: snippets compiled and run as they are, beside the package. */
const PAGES_OF_PACKAGE = [README, 'docs/layers.md'];

const snippets = (language: 'ts' | 'js' | 'html') =>
  PAGES_OF_PACKAGE.flatMap((page) => snippetsOf(page, language)).map(({ code }, i) => ({
    file: `${language}${i + 1}`,
    code,
  }));

const modules = snippets('ts');
const scripts = snippets('js');
const pages = snippets('html');

let consumer: Consumer;

beforeAll(() => {
  consumer = new Consumer();
  // Each thing printed by itself, so that it can be told from the others.
  consumer.write('separate.mjs', `console.log = (...parts) => process.stdout.write(parts.join(' ') + '\\0');`);
}, 300_000);

afterAll(() => consumer.dispose());

const print = (file: string) => consumer.run('node', '--import', './separate.mjs', file).split('\0').slice(0, -1);

test('has the snippets that it should have', () => {
  expect([modules.length, scripts.length, pages.length]).toEqual([6, 1, 1]);
});

test.each(scripts)('$file, for CommonJS', ({ file, code }) => {
  consumer.write(`${file}.cjs`, code);
  expectPromised(code, print(`${file}.cjs`));
});

const BUNDLER = { module: 'esnext', moduleResolution: 'bundler', outDir: '.' };
const NODE = { module: 'nodenext', moduleResolution: 'nodenext', outDir: '.' };

const compileAll = (options: object, edit = (code: string) => code, of = modules) => {
  for (const { file, code } of of) consumer.write(`${file}.mts`, edit(code));
  consumer.compile(
    of.map(({ file }) => `${file}.mts`),
    options,
  );
};

describe.each(Object.entries({ NODE, BUNDLER }))('compiled strictly, resolution as %s', (_, options) => {
  beforeAll(() => compileAll(options), 60_000);

  test.each(modules)('$file', ({ file, code }) => expectPromised(code, print(`${file}.mjs`)), 60_000);
});

test.each(['tfjs-node', 'tfjs-core'])(
  'they compile with @tensorflow/%s',
  (name) => {
    const of = name === 'tfjs-core' ? modules.filter(({ code }) => !/tf\.(layers|sequential)/.test(code)) : modules;
    const paths = { '@tensorflow/tfjs-node': [resolve('node_modules/@tensorflow/tfjs-node')] };
    const edit = (code: string) => code.replace("from '@tensorflow/tfjs'", `from '@tensorflow/${name}'`);
    compileAll({ ...BUNDLER, paths, noEmit: true }, edit, of);
    expect(of.length).toBeGreaterThan(1);
  },
  60_000,
);

/** What layers/auto says to write where TensorFlow.js has a tfjs-core of its own. */
const installed = (code: string) =>
  code.replace(
    "import 'tfjs-cross-entropy/layers/auto';",
    "import { installInLayers } from 'tfjs-cross-entropy/layers';\ninstallInLayers(tf);",
  );

/** pnpm links what a package asks for beside it, which may be another copy than that of `@tensorflow/tfjs`. */
describe.each(['4.22.0', '4.21.0'])('with a second copy of tfjs-core, of version %s', (version) => {
  let second: string;

  beforeAll(() => {
    const core = 'node_modules/@tensorflow/tfjs-core';
    second = join(consumer.library, core);
    cpSync(join(consumer.folder, core), second, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(second, 'package.json'), 'utf8'));
    writeFileSync(join(second, 'package.json'), JSON.stringify({ ...manifest, version }));
    compileAll(BUNDLER, installed);
  }, 60_000);

  test('that is another one to TypeScript, unless the versions are the same', () => {
    const expectation = version === '4.22.0' ? '' : '// @ts-expect-error: two types\n';
    consumer.write(
      'two.ts',
      `import * as tf from '@tensorflow/tfjs';
import type { Tensor } from './node_modules/tfjs-cross-entropy/node_modules/@tensorflow/tfjs-core';
${expectation}export const x: Tensor = tf.scalar(1);`,
    );
    consumer.compile(['two.ts'], { ...BUNDLER, noEmit: true });
  }, 60_000);

  afterAll(() => rmSync(second, { recursive: true }));

  test.each(modules)('$file', ({ file, code }) => expectPromised(code, print(`${file}.mjs`)), 60_000);
});

describeWith('CHROMIUM_PATH')('in a browser', () => {
  test.each(pages)(
    '$file',
    async ({ code }) => {
      const { unpkg, jsdelivr, version } = JSON.parse(readFileSync(join(consumer.library, 'package.json'), 'utf8'));
      const local = code
        .replace(/https:[^"]*tf\.min\.js/, '/tf.js')
        .replace(`https://cdn.jsdelivr.net/npm/tfjs-cross-entropy@${version.replace(/\.\d+$/, '')}`, '/ce.js');
      expect(unpkg).toBe(jsdelivr);
      const server = await serve({
        '/': { text: `<!doctype html>${local}` },
        '/tf.js': { file: 'node_modules/@tensorflow/tfjs/dist/tf.min.js' },
        '/ce.js': { file: join(consumer.library, jsdelivr) },
      });
      const browser = await launchChromium();
      try {
        const page = await browser.newPage();
        const texts: string[] = [];
        page.on('console', (message) => message.type() === 'log' && texts.push(message.text()));
        await page.goto(server.url);
        expectPromised(code, texts);
      } finally {
        await browser.close();
        await server.close();
      }
    },
    60_000,
  );
});

test.each([README, ...PAGES])('links and pictures of %s are in the package, or absolute', (page) => {
  const text = readFileSync(page, 'utf8');
  for (const [, target] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
    if (target.startsWith('https:')) continue;
    expect(readFileSync(join(consumer.library, dirname(page), target)).length).toBeGreaterThan(0);
  }
});

test('the README leads to every page', () => {
  const readme = readFileSync(README, 'utf8');
  for (const page of [...PAGES, 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE']) expect(readme).toContain(`](${page})`);
});
