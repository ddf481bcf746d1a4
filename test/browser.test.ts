import { basename } from 'node:path';
import { buildSync } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import type { PageApi } from './browser/page';
import { type SuiteName, suiteNames, suites } from './suites';
import { describeWith } from './support/backends';
import { launchChromium, serve } from './support/browser';

declare const api: PageApi;

const WASM = 'node_modules/@tensorflow/tfjs-backend-wasm/dist';
const wasmFiles = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'];

describeWith('CHROMIUM_PATH')('in Chromium', () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    const bundle = buildSync({
      entryPoints: ['test/browser/page.ts', 'test/browser/page-fused.ts'],
      outdir: 'output',
      bundle: true,
      ignoreAnnotations: true, // package.json names the side effects of dist/, not of the sources
      write: false,
      format: 'iife',
      define: { 'process.env.NODE_ENV': '"test"' },
    });
    server = await serve({
      ...Object.fromEntries(
        bundle.outputFiles.flatMap(({ path, text }) => {
          const name = basename(path, '.js');
          const html = `<!doctype html><title>tests</title><script src="/${name}.js"></script>`;
          return [
            [`/${name}`, { text: html }],
            [`/${name}.js`, { text }],
          ];
        }),
      ),
      ...Object.fromEntries(wasmFiles.map((name) => [`/${name}`, { file: `${WASM}/${name}` }])),
    });
    browser = await launchChromium();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  describe.each([
    ['cpu', false],
    ['wasm', false],
    ['webgl', false],
    ['webgpu', false],
    ['webgl', true],
    ['webgpu', true],
  ])('%s, fused kernels imported: %s,', (backend, fused) => {
    let page: Page;

    beforeAll(async () => {
      page = await browser.newPage();
      await page.goto(`${server.url}/${fused ? 'page-fused' : 'page'}`);
      expect(await page.evaluate((name) => api.useBackend(name), backend)).toBe(backend);
    }, 120_000);

    afterAll(() => page.close());

    describe.each(suiteNames)('%s', (suite: SuiteName) => {
      for (const { name } of suites[suite](backend, fused)) {
        test(name, async () => {
          const failure = await page.evaluate(([suite, name]) => api.run(suite, name), [suite, name] as const);
          if (failure !== null) throw new Error(failure);
        }, 60_000);
      }
    });
  });
});
