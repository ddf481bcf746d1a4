import { build, type Plugin } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { type SuiteName, suites } from '../suites';
import type { Api } from '../support/api';
import { describeWith } from '../support/backends';
import { launchChromium, serve } from '../support/browser';

declare const api: Api;

const TF = 'node_modules/@tensorflow/tfjs/dist/tf.min.js';

/** What the suites run on in place of packages: the globals of TensorFlow.js's own minified script-tag build. */
const globals: Plugin = {
  name: 'globals',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@tensorflow\// }, ({ path }) => ({ path, namespace: 'globals' }));
    onLoad({ filter: /tfjs(-core)?$/, namespace: 'globals' }, () => ({ contents: 'module.exports = globalThis.tf' }));
    onLoad({ filter: /backend/, namespace: 'globals' }, () => ({ contents: 'exports.setWasmPaths = () => {}' }));
  },
};

/** Adaptors minified, over a minified tfjs-layers: what they need by name must have kept it. */
describeWith('CHROMIUM_PATH')('with the script-tag build', () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    const bundle = await build({
      entryPoints: ['test/browser/page.ts'],
      bundle: true,
      minify: true,
      write: false,
      format: 'iife',
      plugins: [globals],
    });
    server = await serve({
      '/': {
        text: '<!doctype html><title>tests</title><script src="/tf.js"></script><script src="/page.js"></script>',
      },
      '/tf.js': { file: TF },
      '/page.js': { text: bundle.outputFiles[0].text },
    });
    browser = await launchChromium();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const wanted: Record<string, SuiteName[]> = {
    cpu: ['layers', 'softmax-ended models', 'graph', 'training'],
    webgl: ['layers', 'softmax-ended models', 'graph'],
  };

  describe.each(Object.keys(wanted))('%s', (backend) => {
    let page: Page;

    beforeAll(async () => {
      page = await browser.newPage();
      await page.goto(server.url);
      expect(await page.evaluate((name) => api.useBackend(name), backend)).toBe(backend);
    }, 120_000);

    afterAll(() => page.close());

    describe.each(wanted[backend])('%s', (suite) => {
      for (const { name } of suites[suite](backend)) {
        test(name, async () => {
          const failure = await page.evaluate(([suite, name]) => api.run(suite, name), [suite, name] as const);
          if (failure !== null) throw new Error(failure);
        }, 60_000);
      }
    });
  });
});
