import puppeteer, { type Browser } from 'puppeteer-core';
import { describeWith } from '../support/backends';
import { PAGES, serveSite } from '../support/site';

describeWith('FIREFOX_PATH')('the site in Firefox', () => {
  let site: Awaited<ReturnType<typeof serveSite>>;
  let browser: Browser;

  beforeAll(async () => {
    site = await serveSite();
    browser = await puppeteer.launch({ browser: 'firefox', executablePath: process.env.FIREFOX_PATH, headless: true });
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  /** Opens a page, and does something there; gives the errors of its console. */
  async function visit(path: string, act: (page: Awaited<ReturnType<Browser['newPage']>>) => Promise<void>) {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(String(error)));
    try {
      await page.goto(`${site.url}/${path}?lang=en`);
      await page.waitForSelector('main > :nth-child(2)');
      await act(page);
    } finally {
      await page.close();
    }
    return errors;
  }

  test.each(PAGES)(
    '%s comes up without an error',
    async (path) => {
      expect(await visit(path, async (page) => void (await page.waitForSelector('footer')))).toEqual([]);
    },
    60_000,
  );

  test('explains', async () => {
    const errors = await visit('', async (page) => {
      const loss = () => page.$eval('.loss strong', ({ textContent }) => textContent);
      expect(await loss()).toBe('1.0778');
      await page.select('#reduction', 'sum');
      expect(await loss()).toBe('3.2333');
    });
    expect(errors).toEqual([]);
  }, 60_000);

  test('checks the backends that it has, and says which it has not', async () => {
    const errors = await visit('check.html', async (page) => {
      await page.select('#extent', '10');
      await page.click('button.primary');
      await page.waitForFunction(() => (document.querySelector('#report') as HTMLTextAreaElement).value !== '', {
        timeout: 100_000,
      });
      const report = await page.$eval('#report', (report) => (report as HTMLTextAreaElement).value);
      expect(report).toContain('Firefox/');
      for (const backend of ['cpu', 'wasm']) expect(report).toContain(`| ${backend} | 27 of 27 | 0 |`);
      for (const backend of ['webgl', 'webgpu']) {
        expect(report).toMatch(new RegExp(`\\| ${backend} \\| (27 of 27|absent: this browser) `));
      }
    });
    expect(errors).toEqual([]);
  }, 120_000);
});
