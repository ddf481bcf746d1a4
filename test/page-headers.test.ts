import { buildSync } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import type { PageApi } from './browser/page';
import { type SuiteName, suites } from './suites';
import { describeWith } from './support/backends';
import { launchChromium, serve } from './support/browser';

declare const api: PageApi;

const WASM = 'node_modules/@tensorflow/tfjs-backend-wasm/dist';

/** Pages whose server decides by its headers what WebAssembly may do there. */
describeWith('CHROMIUM_PATH')('in a page', () => {
  let browser: Browser;
  let code: string;

  beforeAll(async () => {
    const bundle = buildSync({
      entryPoints: ['test/browser/page.ts'],
      bundle: true,
      ignoreAnnotations: true, // package.json names the side effects of dist/, not of the sources
      write: false,
      format: 'iife',
      define: { 'process.env.NODE_ENV': '"test"' },
    });
    code = bundle.outputFiles[0].text;
    browser = await launchChromium();
  }, 120_000);

  afterAll(() => browser?.close());

  function testPage(headers: Record<string, string>, backend: string, suiteNames: SuiteName[], fact: () => unknown) {
    let page: Page;
    let server: Awaited<ReturnType<typeof serve>>;

    beforeAll(async () => {
      const wasm = 'tfjs-backend-wasm-threaded-simd.wasm';
      server = await serve(
        {
          '/': { text: '<!doctype html><title>tests</title><script src="/page.js"></script>' },
          '/page.js': { text: code },
          [`/${wasm}`]: { file: `${WASM}/${wasm}` },
        },
        headers,
      );
      page = await browser.newPage();
      await page.goto(server.url);
      expect(await page.evaluate((name) => api.useBackend(name), backend)).toBe(backend);
    }, 120_000);

    afterAll(async () => {
      await page?.close();
      await server?.close();
    });

    test('it is such a page', async () => expect(await page.evaluate(fact)).toBe(true));

    for (const suite of suiteNames) {
      for (const { name } of suites[suite](backend, false)) {
        test(`${suite}: ${name}`, async () => {
          expect(await page.evaluate(([suite, name]) => api.run(suite, name), [suite, name] as const)).toBeNull();
        });
      }
    }
  }

  describe('whose Content-Security-Policy forbids WebAssembly, on cpu', () => {
    testPage({ 'content-security-policy': "default-src 'self'" }, 'cpu', ['golden'], () => {
      try {
        return !new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
      } catch (error) {
        return String(error).includes('Content Security Policy');
      }
    });
  });

  describe('that may share memory with threads, on wasm', () => {
    const headers = {
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    };
    testPage(headers, 'wasm', ['golden', 'row loops'], () => api.wasmIsShared());
  });
});
