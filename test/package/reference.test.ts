import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { describeWith } from '../support/backends';
import { launchChromium, serve } from '../support/browser';

/** `npm run docs`, whose warnings are errors: links that lead nowhere, and whatever of the API has no docstring. */
const folder = mkdtempSync(join(tmpdir(), 'reference-'));

beforeAll(() => {
  execFileSync(process.execPath, ['node_modules/typedoc/bin/typedoc', '--out', folder], { stdio: 'pipe' });
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true }));

const pages = () => readdirSync(folder, { recursive: true, encoding: 'utf8' });

test('has a page for every entry, and every document', () => {
  const modules = ['', '_layers', '_layers_auto', '_graph'].map((name) => `modules/tfjs-cross-entropy${name}.html`);
  expect(pages()).toEqual(expect.arrayContaining(modules));
  const documents = pages().filter((page) => page.startsWith('documents/') && page.endsWith('.html'));
  expect(documents).toHaveLength(readdirSync('docs').filter((name) => name.endsWith('.md')).length + 2); // and CONTRIBUTING, CHANGELOG
  expect(documents).toContain('documents/Porting_from_PyTorch.html');
});

describeWith('CHROMIUM_PATH')('in a browser', () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    const files = pages().filter((page) => /\.\w+$/.test(page));
    server = await serve(Object.fromEntries(files.map((page) => [`/${page}`, { file: join(folder, page) }])));
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Opens a page that asks for nothing outside of the reference, and that nothing is wrong with. */
  async function open(path: string) {
    const page = await browser.newPage({ colorScheme: 'dark' });
    const wrong: string[] = [];
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('request', (request) => request.url().startsWith(server.url) || wrong.push(request.url()));
    await page.goto(`${server.url}/${path}`);
    return { page, wrong };
  }

  test.each(['functions/tfjs-cross-entropy.crossEntropy.html', 'documents/Porting_from_PyTorch.html'])(
    '%s obeys its Content-Security-Policy',
    async (path) => {
      const { page, wrong } = await open(path);
      expect(await page.locator('meta[http-equiv=Content-Security-Policy]').count()).toBe(1);
      await page.locator('.site-menu a', { hasText: 'Softmax' }).first().waitFor({ state: 'attached' }); // made by a script
      expect(await page.locator('html').getAttribute('data-theme')).toBe('os');
      expect(await page.locator('h1').count()).toBe(1);
      expect(wrong).toEqual([]);
    },
    60_000,
  );

  test('is searched without a network', async () => {
    const { page, wrong } = await open('modules/tfjs-cross-entropy.html');
    await page.locator('#tsd-search-trigger').click();
    await page.locator('#tsd-search-input').fill('labelSmoothing');
    await page.locator('#tsd-search-results a', { hasText: 'CrossEntropyOptions' }).first().waitFor();
    expect(wrong).toEqual([]);
  }, 60_000);
});
