import { launchChromium, serve } from '../test/support/browser';
import { pageFiles } from '../test/support/page-files';
import type { Budget, Result } from './measure';
import type { PageBench } from './page';

declare const bench: PageBench;

export const CHROMIUM_BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu'];

/** Starts Chromium; each backend gets a page of its own. */
export async function startChromium() {
  const server = await serve(pageFiles('bench/page.ts'));
  const browser = await launchChromium();
  return {
    version: browser.version(),
    async open(backend: string) {
      const page = await browser.newPage();
      await page.goto(`${server.url}/page`);
      const started = await page.evaluate((name) => bench.open(name), backend);
      if (!started) throw new Error(`the ${backend} backend does not start`);
      return {
        measure: (shape: readonly number[], budget: Budget): Promise<Result[]> =>
          page.evaluate(([shape, budget]) => bench.measureShape(shape, budget), [shape, budget] as const),
        close: () => page.close(),
      };
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
