import type { Browser, Page } from 'playwright-core';
import { type SuiteName, suiteNames, suites } from '../suites';
import type { Api } from './api';
import { describeWith } from './backends';
import { launchChromium, serve } from './browser';
import { pageFiles } from './page-files';

declare const api: Api;

/** All suites on backends in Chromium: a file for some of them, so that jest runs several at a time. */
export const suitesInChromium = (backends: string[]) =>
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

    describe.each(backends)('%s', (backend) => {
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
