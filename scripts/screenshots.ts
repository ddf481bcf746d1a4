// The pictures of the site in README and docs: `npm run screenshots`, or with some of their names.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { launchChromium } from '../test/support/browser';
import { serveSite } from '../test/support/site';
import { findChromium } from './setup/chromium-path.mjs';

interface Picture {
  readonly address: string;
  readonly colorScheme?: 'dark';
  readonly width: number;
  /** Uses the page until it shows what the picture is to show. */
  use?(page: Page): Promise<void>;
  of(page: Page): Locator;
}

const LIMIT = 120_000;

const PICTURES: Record<string, Picture> = {
  explain: {
    address: '?lang=en&smoothing=0.1',
    width: 1280,
    of: (page) => page.locator('.figure'),
  },
  'explain-dark': {
    address: '?lang=en&smoothing=0.1',
    colorScheme: 'dark',
    width: 1280,
    of: (page) => page.locator('.figure'),
  },
  check: {
    address: 'check.html?lang=en',
    width: 1120,
    async use(page) {
      await page.getByLabel('Cases').selectOption('10');
      await page.getByRole('button', { name: 'Check this device' }).click();
      await page.getByText(/^Done:/).waitFor({ timeout: 300_000 });
    },
    of: (page) => page.locator('.cards'),
  },
  compare: {
    address: 'compare.html?lang=en',
    width: 900,
    async use(page) {
      await page.getByLabel('cpu').uncheck();
      await page.getByRole('button', { name: 'Compare' }).click();
      await page.getByText('Done.').waitFor({ timeout: 300_000 });
    },
    of: (page) => page.locator('.results'),
  },
};

/** A third of the bytes. The page's own policy lets no data in but by an argument. */
async function toWebP(page: Page, png: Buffer): Promise<Buffer> {
  const webp = await page.evaluate(
    async (bytes) => {
      const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      canvas.getContext('2d')!.drawImage(bitmap, 0, 0);
      const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.92 });
      return [...new Uint8Array(await blob.arrayBuffer())];
    },
    [...png],
  );
  return Buffer.from(webp);
}

async function take(browser: Browser, site: string, name: string): Promise<void> {
  const { address, colorScheme, width, use, of } = PICTURES[name];
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  await page.goto(`${site}/${address}`);
  await page.locator('main > :nth-child(2)').waitFor();
  await use?.(page);
  const picture = await toWebP(page, await of(page).screenshot());
  await page.close();
  const path = join('docs', `site-${name}.webp`);
  console.log(`${path}: ${picture.length} bytes`);
  if (picture.length > LIMIT) throw new Error(`${path} would have more than ${LIMIT} bytes: take a smaller part`);
  writeFileSync(path, picture);
}

process.env.CHROMIUM_PATH ??= findChromium();
if (!process.env.CHROMIUM_PATH) throw new Error('There is no Chromium here: run `npm run setup` to see why.');
const [site, browser] = await Promise.all([serveSite(), launchChromium()]);
try {
  const names = process.argv.slice(2);
  for (const name of names.length > 0 ? names : Object.keys(PICTURES)) await take(browser, site.url, name);
} finally {
  await browser.close();
  await site.close();
}
