import { buildSync } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import type { PageApi } from './browser/page';
import { suites } from './suites';
import { describeWith } from './support/backends';
import { launchChromium, serve } from './support/browser';

declare const api: PageApi;

describeWith('CHROMIUM_PATH')('a page whose Content-Security-Policy forbids WebAssembly', () => {
  let browser: Browser;
  let page: Page;
  let server: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    const bundle = buildSync({
      entryPoints: ['test/browser/page.ts'],
      bundle: true,
      write: false,
      format: 'iife',
      define: { 'process.env.NODE_ENV': '"test"' },
    });
    server = await serve(
      {
        '/': { text: '<!doctype html><title>tests</title><script src="/page.js"></script>' },
        '/page.js': { text: bundle.outputFiles[0].text },
      },
      { 'content-security-policy': "default-src 'self'" },
    );
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(server.url);
    expect(await page.evaluate(() => api.useBackend('cpu'))).toBe('cpu');
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test('it does', async () => {
    const compile = () => new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) && 'compiled';
    await expect(page.evaluate(compile)).rejects.toThrow('Content Security Policy');
  });

  for (const { name } of suites.golden('cpu')) {
    test(name, async () => expect(await page.evaluate((name) => api.run('golden', name), name)).toBeNull());
  }
});
