import { findChromium } from '../scripts/setup/chromium-path.mjs';
import { launchChromium, serve } from '../test/support/browser';
import { pageFiles } from '../test/support/page-files';
import { type Place, placeElsewhere, type Register, type Runtime, seat } from './place';

export const CHROMIUM_BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu'];

/** As `package.json` has them for Node. */
const JS_FLAGS = '--js-flags=--expose-gc --no-flush-bytecode';

/** Starts Chromium; each backend (`chromium/webgl` ...) gets a page of its own. */
export async function openChromium(ids: readonly string[], { versions, absent }: Register): Promise<Runtime> {
  const executable = findChromium();
  if (!executable) {
    absent.push('Chromium; `npm run setup` says why');
    return { entrances: {}, close: async () => {} };
  }
  process.env.CHROMIUM_PATH = executable;
  const server = await serve(pageFiles('bench/page.ts'));
  const browser = await launchChromium(JS_FLAGS);
  versions.Chromium = browser.version();
  const entrances: Record<string, Runtime['entrances'][string]> = {};
  for (const id of ids) {
    const page = await browser.newPage();
    await page.goto(`${server.url}/page`);
    const place = placeElsewhere((method, args) =>
      page.evaluate(
        ([method, args]) => {
          const { place } = globalThis as unknown as { place: Place };
          return (place[method] as (...args: unknown[]) => Promise<unknown>)(...args);
        },
        [method, args] as const,
      ),
    );
    try {
      await place.open(id.split('/')[1]);
      entrances[id] = (shape) => seat(id, place, shape);
    } catch (error) {
      absent.push(`${id}: ${(error as Error).message}`);
      await page.close();
    }
  }
  return {
    entrances,
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
