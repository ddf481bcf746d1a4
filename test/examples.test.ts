import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import * as main from 'tfjs-cross-entropy';
import * as graph from 'tfjs-cross-entropy/graph';
import * as layers from 'tfjs-cross-entropy/layers';
import ts from 'typescript';

/** Every example in a docstring, run; `x.print(); // 0.25` holds. */
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name));

const library = { ...main, ...layers, ...graph };
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

const examples = sources.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/^ \* @example\n \* ```ts\n([\s\S]*?)^ \* ```/gm)].map(([, code], i) => ({
    name: `${file} #${i + 1}`,
    code: code.replace(/^ \* ?/gm, ''),
  })),
);

beforeAll(() => tf.setBackend('cpu'));

test('there are some in all public files', () => {
  const files = new Set(examples.map(({ name }) => name.split(' ')[0]));
  for (const file of [
    'functional/cross-entropy',
    'functional/nll-loss',
    'functional/softmax',
    'nn/cross-entropy-loss',
    'nn/nll-loss',
    'nn/softmax',
  ]) {
    expect(files).toContain(`src/${file}.ts`);
  }
});

/** What saves or loads needs a place that an example cannot bring. */
const isRunnable = ({ code }: { code: string }) => !code.includes('://');

test.each(examples.filter(isRunnable))('$name', async ({ code }) => {
  const checked = code.replace(/^(.*)\.print\(\);.*\/\/ (.*)$/gm, 'check($1, "$2");').replace(/^import .*$/gm, '');
  const { outputText } = ts.transpileModule(checked, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  const check = jest.fn((got: tf.Tensor, comment: string) => {
    const want = (comment.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
    const values = Array.from(got.dataSync());
    expect(values).toHaveLength(want.length);
    values.forEach((value, i) => {
      expect(Math.abs(value - want[i])).toBeLessThan(6e-5); // comments show four decimals
    });
  });
  await new AsyncFunction('tf', 'check', ...Object.keys(library), outputText)(tf, check, ...Object.values(library));
  expect(check).toHaveBeenCalledTimes((code.match(/\.print\(\);.*\/\//g) ?? []).length);
});
