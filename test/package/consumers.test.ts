import { cpSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeWith } from '../support/backends';
import { launchChromium, serve } from '../support/browser';
import { Consumer } from '../support/consumer';

/** The packed tarball as strangers use it: nothing here may see the sources. */
const TFJS = resolve('node_modules/@tensorflow/tfjs/dist/tf.min.js');
const PROGRAM = `
const target = tf.tensor1d([0, 2], 'int32');
const gradient = tf.grad((x) => crossEntropy(x, target))(tf.tensor2d([[2, 1, 0], [0, 0, 3]]));
const criterion = new CrossEntropyLoss({ labelSmoothing: 0.1 });
const loss = criterion.forward(tf.tensor2d([[2, 1, 0], [0, 0, 3]]), target);
const answer = loss.dataSync()[0].toFixed(4) + ' ' + gradient.dataSync()[0].toFixed(4);`;
const ANSWER = '0.4013 -0.1674';

/** On int32 labels and logits 200 apart, on both of which Layers' own loss fails. */
const IN_LAYERS = `
const dense = tf.layers.dense({ units: 3, inputShape: [4], activation: 'softmax', kernelInitializer: 'zeros' });
const model = tf.sequential({ layers: [dense] });
model.setWeights([tf.zeros([4, 3]), tf.tensor1d([200, 0, 0])]);
const [x, y] = [tf.ones([4, 4]), tf.tensor1d([0, 1, 2, 0], 'int32')];
const evaluate = (loss) => {
  model.compile({ optimizer: 'sgd', loss, metrics: ['accuracy', tf.metrics.categoricalAccuracy] });
  return model.evaluate(x, y).map((value) => value.dataSync()[0].toFixed(2)).join(' ');
};
const answer = evaluate('sparseCategoricalCrossentropy') + ', ' + evaluate(new CrossEntropyLoss({ ignoreIndex: 0 }));`;
const LAYERS_ANSWER = '100.00 0.50 0.50, 200.00 0.00 0.00';

let consumer: Consumer;

beforeAll(() => {
  consumer = new Consumer();
}, 300_000);

afterAll(() => consumer.dispose());

test('from an ES module', () => {
  consumer.write(
    'esm.mjs',
    `import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, crossEntropy } from 'tfjs-cross-entropy';${PROGRAM}
console.log(answer);`,
  );
  expect(consumer.run('node', 'esm.mjs')).toContain(ANSWER);
});

test('from CommonJS', () => {
  consumer.write(
    'cjs.cjs',
    `const tf = require('@tensorflow/tfjs');
const { CrossEntropyLoss, crossEntropy } = require('tfjs-cross-entropy');${PROGRAM}
console.log(answer);`,
  );
  expect(consumer.run('node', 'cjs.cjs')).toContain(ANSWER);
});

test.each([
  ['node16', 'esm.mts'],
  ['node16', 'cjs.cts'],
  ['bundler', 'bundled.ts'],
])('from strict TypeScript, module resolution %s (%s)', (moduleResolution, file) => {
  const module = moduleResolution === 'bundler' ? 'esnext' : 'node16';
  consumer.write(
    file,
    `import * as tf from '@tensorflow/tfjs-core';
import { CrossEntropyLoss, crossEntropy, type CrossEntropyOptions, NLLLoss, type Reduction } from 'tfjs-cross-entropy';
const options: CrossEntropyOptions = { reduction: 'mean', weight: [1, 2, 3] };
const x: tf.Tensor2D = tf.tensor2d([[2, 1, 0]]);
const t: tf.Tensor1D = tf.tensor1d([0], 'int32');
const mean: tf.Scalar = crossEntropy(x, t);
const rows: tf.Tensor = crossEntropy(x, t, { ...options, reduction: 'none' });
const criterion: CrossEntropyLoss<Reduction> = new CrossEntropyLoss(options);
const scalar: tf.Scalar = new CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(x, t);
const total: tf.Scalar = new NLLLoss({ reduction: 'sum', weight: tf.ones([3]) }).forward(x, t);
const each = new NLLLoss({ reduction: 'none', weight: new Uint8Array([1, 2, 3]) });
// @ts-expect-error: a loss for each row
const one: tf.Scalar = each.forward(x, t);
const any: NLLLoss<Reduction> = each;
const sum = (criterion: NLLLoss<'mean' | 'sum'>): tf.Scalar => criterion.forward(x, t);
// @ts-expect-error: gives a loss for each row
sum(each);
class Mine extends CrossEntropyLoss {
  mine = true;
}
const mine: Mine = Mine.fromConfig(new Mine().getConfig());
// @ts-expect-error: no weights
new NLLLoss({ weight: ['1', '2', '3'] });
// @ts-expect-error: PyTorch's spelling
crossEntropy(x, t, { ignore_index: 1 });
// @ts-expect-error: readonly
criterion.ignoreIndex = 3;
export { any, criterion, each, mean, mine, one, rows, scalar, sum, total };`,
  );
  consumer.compile([file], { noEmit: true, target: 'es2020', module, moduleResolution });
});

/** TypeScript's default with `module: commonjs`: it knows no `exports`. */
const OLD = { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true };

test.each(['@tensorflow/tfjs', '@tensorflow/tfjs-layers'])(
  'criteria in model.compile of %s, by layers/auto',
  (tfjs) => {
    const program = `import * as tf from '${tfjs}';
import 'tfjs-cross-entropy/layers/auto';
import { CrossEntropyLoss, NLLLoss } from 'tfjs-cross-entropy';
import { topKAccuracy } from 'tfjs-cross-entropy/layers';
const layer = tf.layers.dense({ units: 3, inputShape: [4] });
const sequential = tf.sequential({ layers: [layer] });
const model: tf.LayersModel = tf.model({ inputs: sequential.inputs, outputs: sequential.outputs });
const criterion = new CrossEntropyLoss({ ignoreIndex: 0 });
for (const one of [sequential, model]) {
  one.compile({ optimizer: 'sgd', loss: criterion });
  one.compile({ optimizer: 'sgd', loss: [criterion], metrics: ['accuracy', topKAccuracy(2)] });
  one.compile({ optimizer: 'sgd', loss: { [layer.name]: new NLLLoss({ reduction: 'sum' }) } });
  one.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: 'mse' });
}
// @ts-expect-error: no loss
sequential.compile({ optimizer: 'sgd', loss: 5 });
`;
    for (const [file, options] of [
      ['auto.mts', { module: 'node16', moduleResolution: 'node16' }],
      ['auto.cts', { module: 'node16', moduleResolution: 'node16' }],
      ['auto.ts', { module: 'esnext', moduleResolution: 'bundler' }],
      ['old-auto.ts', OLD],
    ] as const) {
      consumer.write(file, program);
      consumer.compile([file], { noEmit: true, ...options });
    }
  },
  120_000,
);

const SUBPATHS = `import * as tf from '@tensorflow/tfjs';
import 'tfjs-cross-entropy/layers/auto';
import { CrossEntropyLoss } from 'tfjs-cross-entropy';
import { registerGraphOps } from 'tfjs-cross-entropy/graph';
import { compileWithLoss, layersLoss } from 'tfjs-cross-entropy/layers';
const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4], kernelInitializer: 'zeros' })] });
compileWithLoss(model, { optimizer: 'sgd', loss: new CrossEntropyLoss() });
registerGraphOps(tf);
const rows: tf.Tensor = layersLoss(new CrossEntropyLoss())(tf.tensor1d([0], 'int32'), tf.tensor2d([[2, 1, 0]]));
const answer = (model.evaluate(tf.ones([1, 4]), tf.tensor1d([1], 'int32')) as tf.Scalar).dataSync()[0].toFixed(4);
`;

test('subpaths from strict TypeScript that knows no `exports`', () => {
  consumer.write('old.ts', `${SUBPATHS}console.log(answer, rows.dataSync()[0].toFixed(4));`);
  consumer.compile(['old.ts'], { ...OLD, outDir: 'old', rootDir: '.' });
  consumer.write('old/package.json', '{ "type": "commonjs" }');
  expect(consumer.run('node', 'old/old.js')).toContain('1.0986 0.4076');
});

test('subpaths from ts-jest as it comes', () => {
  consumer.write('old.test.ts', `${SUBPATHS}test('it', () => expect(answer).toBe('1.0986'));`);
  const transform = {
    '\\.ts$': [resolve('node_modules/ts-jest'), { tsconfig: { ...OLD, strict: true, skipLibCheck: true } }],
  };
  consumer.write('jest.config.json', JSON.stringify({ rootDir: '.', testEnvironment: 'node', transform }));
  consumer.write(
    'globals.d.ts',
    'declare const test: (name: string, f: () => void) => void; declare const expect: any;',
  );
  consumer.write(
    'old.test.ts',
    `/// <reference path="./globals.d.ts" />\n${SUBPATHS}test('it', () => expect(answer).toBe('1.0986'));`,
  );
  consumer.run('node', resolve('node_modules/jest/bin/jest.js'), '--config', 'jest.config.json', 'old.test.ts');
}, 120_000);

test.each(['layers', 'layers/auto', 'graph'])(
  'subpath %s by the `main` of its folder, as old bundlers have it',
  (name) => {
    const folder = JSON.stringify(join(consumer.library, name));
    consumer.write('folder.cjs', `require('@tensorflow/tfjs'); console.log(Object.keys(require(${folder})).join());`);
    const exported = { layers: 'compileWithLoss', 'layers/auto': '', graph: 'registerGraphOps' }[name];
    expect(consumer.run('node', 'folder.cjs')).toContain(exported);
  },
);

test('installInLayers with a second copy of tfjs-core, in Node', () => {
  for (const name of ['tfjs-cross-entropy', '@tensorflow/tfjs-core']) {
    cpSync(join(consumer.folder, 'node_modules', name), join(consumer.folder, 'second/node_modules', name), {
      recursive: true,
    });
  }
  consumer.write(
    'second/main.cjs',
    `const tf = require(${JSON.stringify(join(consumer.folder, 'node_modules/@tensorflow/tfjs'))});
const { CrossEntropyLoss } = require('tfjs-cross-entropy');
const { installInLayers } = require('tfjs-cross-entropy/layers');
let message;
try { require('tfjs-cross-entropy/layers/auto'); } catch (error) { message = error.message; }
installInLayers(tf);${IN_LAYERS}
console.log(message.includes('installInLayers(tf)'), answer);`,
  );
  expect(consumer.run('node', 'second/main.cjs')).toContain(`true ${LAYERS_ANSWER}`);
});

test('through a bundler for Node', () => {
  consumer.write(
    'app.mjs',
    `import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, crossEntropy } from 'tfjs-cross-entropy';${PROGRAM}
console.log(answer);`,
  );
  consumer.run(
    resolve('node_modules/.bin/esbuild'),
    'app.mjs',
    '--bundle',
    '--minify',
    '--platform=node',
    '--outfile=app.cjs',
  );
  expect(consumer.run('node', 'app.cjs')).toContain(ANSWER);
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
  const iife = () => join(consumer.library, 'dist/tfjs-cross-entropy.min.js');

  test('with script tags', async () => {
    const page = `<!doctype html><script src="/tf.js"></script><script src="/ce.js"></script><script>
const { CrossEntropyLoss, crossEntropy } = tfjsCrossEntropy;${PROGRAM}
document.title = answer;</script>`;
    const result = await titleOf({ '/': { text: page }, '/tf.js': { file: TFJS }, '/ce.js': { file: iife() } });
    expect(result).toEqual({ title: ANSWER, errors: [] });
  }, 60_000);

  const bundled = (name: string, text: string) => {
    consumer.write(`${name}.mjs`, text);
    const lib = { entry: `${name}.mjs`, formats: ['iife'], name, fileName: name };
    consumer.write('vite.config.mjs', `export default ${JSON.stringify({ build: { lib, outDir: name } })}`);
    consumer.run('node', resolve('node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error');
    return { file: join(consumer.folder, name, readdirSync(join(consumer.folder, name))[0]) };
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

  test('in Layers, with script tags: installInLayers, and what plain compile says', async () => {
    const page = `<!doctype html><script src="/tf.js"></script><script src="/ce.js"></script><script>
const { CrossEntropyLoss, layers: { installInLayers, compileWithLoss }, graph: { registerGraphOps } } = tfjsCrossEntropy;
let message;
try {
  tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] })
    .compile({ optimizer: 'sgd', loss: new CrossEntropyLoss() });
} catch (error) {
  message = error.message;
}
registerGraphOps(tf);
installInLayers(tf);${IN_LAYERS}
document.title = message + ' ' + answer;</script>`;
    const title = `For Layers write compileWithLoss(model, { loss: criterion, ... }), of tfjsCrossEntropy.layers. ${LAYERS_ANSWER}`;
    const files = { '/': { text: page }, '/tf.js': { file: TFJS }, '/ce.js': { file: iife() } };
    expect(await titleOf(files)).toEqual({ title, errors: [] });
  }, 60_000);

  test.each([
    ['installInLayers', `export { installInLayers } from 'tfjs-cross-entropy/layers';`, 'layered.installInLayers(tf);'],
    ['layers/auto, by the global tf', `import 'tfjs-cross-entropy/layers/auto';`, ''],
  ])(
    'in Layers, with a second copy of tfjs-core, bundled and minified with this package: %s',
    async (_, code, install) => {
      const second = bundled('layered', `${code}\nexport { CrossEntropyLoss } from 'tfjs-cross-entropy';`);
      const page = `<!doctype html><script src="/tf.js"></script><script src="/second.js"></script><script>
const { CrossEntropyLoss } = layered;
${install}${IN_LAYERS}
document.title = answer;</script>`;
      const files = { '/': { text: page }, '/tf.js': { file: TFJS }, '/second.js': second };
      expect(await titleOf(files)).toEqual({ title: LAYERS_ANSWER, errors: [] });
    },
    120_000,
  );

  test.each([
    ['layers/auto', `import '/ce/layers-auto.js';`],
    ['installInLayers', `import { installInLayers } from '/ce/layers.js'; installInLayers(tf);`],
  ])(
    'in Layers, with an import map: %s',
    async (_, install) => {
      const dist = join(consumer.library, 'dist');
      const modules = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
      const page = `<!doctype html>
<script type="importmap">{ "imports": { "@tensorflow/tfjs-core": "/tf.js", "@tensorflow/tfjs": "/tf.js" } }</script>
<script type="module">
import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss } from '/ce/index.js';
${install}${IN_LAYERS}
document.title = answer;</script>`;
      const files = {
        '/': { text: page },
        '/tf.js': { file: resolve('node_modules/@tensorflow/tfjs/dist/tf.fesm.min.js') },
        ...Object.fromEntries(modules.map((name) => [`/ce/${name}`, { file: join(dist, name) }])),
      };
      expect(await titleOf(files)).toEqual({ title: LAYERS_ANSWER, errors: [] });
    },
    60_000,
  );
});
