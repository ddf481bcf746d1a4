import { readFileSync } from 'node:fs';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { describeWith } from '../support/backends';
import { launchChromium } from '../support/browser';
import { PAGES, serveSite } from '../support/site';

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 360, height: 740 };

describeWith('CHROMIUM_PATH')('the site in Chromium', () => {
  let site: Awaited<ReturnType<typeof serveSite>>;
  let browser: Browser;
  let page: Page;
  /** Console errors, exceptions, violations of the policy, and requests to other hosts. */
  let faults: string[];

  beforeAll(async () => {
    [site, browser] = await Promise.all([serveSite(), launchChromium()]);
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({
      viewport: WIDE,
      permissions: ['clipboard-read', 'clipboard-write'],
      ...options,
    });
    page = await context.newPage();
    faults = [];
    // The policy's violations are errors of the console, in workers too.
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    context.on('request', (request) => {
      const { origin } = new URL(request.url());
      if (origin !== site.url && !request.url().startsWith('blob:')) faults.push(`asked ${request.url()}`);
    });
    await page.goto(`${site.url}/${path}`);
    await page.locator('footer').waitFor();
    return page;
  }

  afterEach(async () => {
    await page.context().close();
    expect(faults).toEqual([]);
  });

  const audit = async () => {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  };

  describe.each(PAGES)('%s', (path) => {
    test.each([
      ['wide, light, in English', 'en', WIDE, 'light'],
      ['narrow, dark, in Chinese', 'zh', NARROW, 'dark'],
    ] as const)(
      '%s: accessible, nothing wider than the screen',
      async (_, language, viewport, colorScheme) => {
        await open(`${path}?lang=${language}`, { viewport, colorScheme });
        await page.locator('main > :nth-child(2)').waitFor();
        expect(await page.getAttribute('html', 'lang')).toBe(language === 'zh' ? 'zh-CN' : 'en');
        expect(await audit()).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width);
      },
      60_000,
    );

    test('carries a strict policy', () => {
      const { file } = site.files[`/${path}`] as { file: string };
      const policy = readFileSync(file, 'utf8')
        .match(/Content-Security-Policy" content="(.*?)"/)![1]
        .replaceAll('&#39;', "'");
      expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';");
      expect(policy).not.toContain('unsafe-inline');
      expect(policy).not.toMatch(/'unsafe-eval'/);
    });
  });

  describe('explains', () => {
    const loss = () => page.locator('.loss strong');
    const expectLoss = async (value: string) => {
      await page.waitForFunction((value) => document.querySelector('.loss strong')?.textContent === value, value);
    };

    test('the article: its numbers follow what is edited, and the address keeps them', async () => {
      await open('?lang=en');
      expect(await loss().textContent()).toBe('1.0778');
      await page.getByLabel('Logit of row 1, class 1').fill('3');
      await page.getByLabel('Target of row 2').selectOption('0');
      await page.getByLabel('Reduction').selectOption('sum');
      await page.getByLabel('Weight of class 0').fill('0.5');
      await page.getByRole('button', { name: 'Classes: one more' }).click();
      const edited = await loss().textContent();
      expect(edited).not.toBe('1.0778');
      expect(page.url()).toContain('target=0%2C1%2C0');
      await page.reload();
      await page.locator('.loss strong').waitFor();
      expect(await loss().textContent()).toBe(edited);
      await page.getByRole('link', { name: '中文' }).click();
      await page.waitForURL(/lang=zh/);
      await page.locator('.loss strong').waitFor();
      expect(await loss().textContent()).toBe(edited);
      await page.getByRole('button', { name: '恢复文章中的数据' }).click();
      await expectLoss('1.0778');
    }, 60_000);

    test('its two slips', async () => {
      await open('?lang=en', { reducedMotion: 'reduce' });
      expect(await page.locator('.slip').allTextContents()).toEqual([
        expect.stringMatching(/0\.1365.*1\.3654/),
        expect.stringMatching(/1\.3654.*1\.0778/),
      ]);
      await page.getByRole('button', { name: 'Show it in the figure' }).first().click();
      await expectLoss('1.3654');
      expect(await page.locator('.loss').textContent()).toContain('not the cross-entropy of these rows');
      // Without motion the figure is there at once.
      expect(
        await page.evaluate(() => Math.abs(document.querySelector('.figure')!.getBoundingClientRect().top)),
      ).toBeLessThan(2);
      expect(await page.evaluate(() => getComputedStyle(document.querySelector('button')!).transitionDuration)).toBe(
        '0s',
      );
    }, 60_000);

    test('with the keyboard alone', async () => {
      await open('?lang=en');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
      await page.keyboard.press('Enter');
      const focused = () =>
        page.evaluate(
          () => document.activeElement?.getAttribute('id') ?? document.activeElement?.getAttribute('aria-label'),
        );
      const tabTo = async (name: string) => {
        for (let i = 0; i < 40 && (await focused()) !== name; i++) await page.keyboard.press('Tab');
        expect(await focused()).toBe(name);
      };
      await tabTo('smoothing');
      for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
      expect(page.url()).toContain('smoothing=0.1');
      expect(await focused()).toBe('smoothing'); // it is not drawn anew while it is being used
      await tabTo('Rows: one more');
      await page.keyboard.press('Enter');
      expect(await focused()).toBe('Rows: one more');
      await tabTo('Logit of row 3, class 0');
      await page.keyboard.press('ArrowUp');
      expect(page.url()).toContain('logits=');
      expect(await page.locator('[role=status]').textContent()).toBe(`Loss ${await loss().textContent()}`);
    }, 60_000);
  });

  test('trains, pauses, reads a drawn digit, and keeps the weights on another backend', async () => {
    await open('train.html?lang=en');
    const cell = (column: number) => page.locator(`.runs tbody tr:first-child td:nth-child(${column})`).textContent();
    const steps = async () => Number(await cell(2));
    await page.getByLabel('Side by side with tf.losses.softmaxCrossEntropy').check();
    await page.locator('button.primary:enabled').click();
    await page.waitForFunction(() => Number(document.querySelector('.runs td')?.textContent) >= 50, null, {
      timeout: 60_000,
    });
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused').waitFor();

    // Both losses have led to the same model, and both were measured.
    const rows = await page.$$eval('.runs tbody tr', (rows) =>
      rows.map((row) => [...row.children].map(({ textContent }) => textContent ?? '')),
    );
    expect(rows.map(([name]) => name)).toEqual(['tfjs-cross-entropy', 'tf.losses']);
    for (const [, , loss, accuracy, time, memory] of rows) {
      expect(Math.abs(Number(loss) - Number(rows[0][2]))).toBeLessThan(2e-3);
      expect(Number.parseFloat(accuracy)).toBeGreaterThan(75);
      expect(time).toMatch(/ms$/);
      expect(memory).toMatch(/MB$/);
    }

    // A one, drawn with the keyboard: a line from top to bottom.
    const pad = page.getByRole('application', { name: 'Drawing area' });
    await pad.focus();
    for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Space');
    for (let i = 0; i < 16; i++) await page.keyboard.press('ArrowDown');
    await page.getByText(/^Reads 1/).waitFor();

    const before = await page.locator('.digits').textContent();
    await page.getByLabel('cpu').check();
    await page.getByText('Paused').waitFor();
    // The last digits of what is shown may be rounded in another way.
    await page.waitForFunction(
      (before) => {
        const read = (text?: string | null) => (text?.match(/[\d.]+/g) ?? []).map(Number);
        const [was, is] = [read(before), read(document.querySelector('.digits')?.textContent)];
        return is.length > 0 && is.length === was.length && is.every((value, i) => Math.abs(value - was[i]) <= 1);
      },
      before,
      { timeout: 60_000 },
    );
    const reached = await steps();
    await page.getByRole('button', { name: 'Train' }).click();
    await page.waitForFunction(
      (reached) => Number(document.querySelector('.runs td')?.textContent) > reached,
      reached,
      { timeout: 30_000 },
    );
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByText('Ready').waitFor();
    expect(await page.locator('.runs tbody tr').count()).toBe(0);
  }, 120_000);

  test('checks the device on all backends, and makes a report', async () => {
    await open('check.html?lang=en');
    // Software renderers compile for seconds: seven cases do to see the page work. All of them run in `browser.test.ts`.
    await page.$eval('#extent option:last-child', (option) => {
      (option as HTMLOptionElement).value = '40';
    });
    await page.getByLabel('Cases').selectOption('40');
    await page.getByRole('button', { name: 'Check this device' }).click();
    await page.getByText(/^Done:/).waitFor({ timeout: 150_000 });
    expect(await page.locator('.subject .badge').allTextContents()).toEqual(Array(5).fill('right'));
    await page.getByRole('button', { name: 'Copy the report' }).click();
    await page.getByText('Copied').waitFor();
    const report = await page.evaluate(() => navigator.clipboard.readText());
    expect(report).toContain('against PyTorch 2.13');
    expect(report).toMatch(/\| webgl \| 7 of 7 \| 0 \| [\d.]+e-\d+ in /);
  }, 180_000);

  test('compares, with answers checked, ratios, programs and bytes', async () => {
    await open('compare.html?lang=en');
    for (const backend of ['cpu', 'webgpu']) await page.getByLabel(backend).uncheck();
    await page.getByLabel('Shape').selectOption('128 × 10');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByText('Done.').waitFor({ timeout: 100_000 });
    const tables = await page.locator('.results table').all();
    expect(tables).toHaveLength(2);
    for (const [i, table] of tables.entries()) {
      const ours = await table.locator('tr.ours').textContent();
      expect(ours).toContain('tfjs-cross-entropy');
      expect(ours).toMatch(/ ms/);
      expect(ours).toMatch(/kB/);
      expect(await table.locator('tbody tr').count()).toBe(4);
      expect(await table.textContent()).toMatch(/[\d.]+×/);
      if (i === 1) expect(await table.textContent()).toContain('Programs');
    }
    expect(await audit()).toEqual([]);
  }, 150_000);
});
