import type { Browser, Page } from 'playwright-core';

import { type SuiteName, suites } from './suites';
import type { Api } from './support/api';
import { describeWith } from './support/backends';
import { launchChromium, serve } from './support/browser';
import { pageFiles } from './support/page-files';

declare const api: Api;

/** Pages whose server decides by its headers what WebAssembly may do there. */
describeWith('CHROMIUM_PATH')('in a page', () => {
  let browser: Browser;
  let files: ReturnType<typeof pageFiles>;

  beforeAll(async () => {
    files = pageFiles(['test/browser/page.ts']);
    browser = await launchChromium();
  }, 120_000);

  afterAll(() => browser?.close());

  function testPage(headers: Record<string, string>, backend: string, suiteNames: SuiteName[], fact: () => unknown) {
    let page: Page;
    let server: Awaited<ReturnType<typeof serve>>;

    beforeAll(async () => {
      server = await serve(files, headers);
      page = await browser.newPage();
      await page.goto(`${server.url}/page`);
      expect(await page.evaluate((name) => api.useBackend(name), backend)).toBe(backend);
    }, 120_000);

    afterAll(async () => {
      await page?.close();
      await server?.close();
    });

    test('it is such a page', async () => expect(await page.evaluate(fact)).toBe(true));

    for (const suite of suiteNames) {
      for (const { name } of suites[suite](backend)) {
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
    testPage(headers, 'wasm', ['golden', 'row kernels'], () => api.wasmIsShared());
  });
});
