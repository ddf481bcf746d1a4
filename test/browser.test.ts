import type { Browser, Page } from 'playwright-core';
import { type SuiteName, suiteNames, suites } from './suites';
import type { Api } from './support/api';
import { describeWith } from './support/backends';
import { launchChromium, serve } from './support/browser';
import { pageFiles } from './support/page-files';

declare const api: Api;

describeWith('CHROMIUM_PATH')('in Chromium', () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    server = await serve(pageFiles(['test/browser/page.ts']));
    browser = await launchChromium();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  describe.each(['cpu', 'wasm', 'webgl', 'webgpu'])('%s', (backend) => {
    let page: Page;

    beforeAll(async () => {
      page = await browser.newPage();
      await page.goto(`${server.url}/page`);
      expect(await page.evaluate((name) => api.useBackend(name), backend)).toBe(backend);
    }, 120_000);

    afterAll(() => page.close());

    describe.each(suiteNames)('%s', (suite: SuiteName) => {
      for (const { name } of suites[suite](backend)) {
        test(name, async () => {
          const failure = await page.evaluate(([suite, name]) => api.run(suite, name), [suite, name] as const);
          if (failure !== null) throw new Error(failure);
        }, 180_000);
      }
    });
  });
});
