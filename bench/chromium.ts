import { findChromium } from '../scripts/setup/chromium-path.mjs';
import { launchChromium, serve } from '../test/support/browser';
import { pageFiles } from '../test/support/page-files';
import { JAX, NANOGPT } from './contender';
import { hasNanogpt, nanogptAlias } from './nanogpt';
import { type Place, placeElsewhere, type Register, type Runtime, seat } from './place';

export const CHROMIUM_BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu'];

/** Those who need no backend of TensorFlow.js, or bring their own, and beside which ones they sit. */
const PEERS = {
  [JAX]: ['chromium/wasm', 'chromium/webgpu'],
  [NANOGPT]: ['chromium/webgl', 'chromium/webgpu'],
};

/** As `package.json` has them for Node. */
const JS_FLAGS = '--js-flags=--expose-gc --no-flush-bytecode';

/** Starts Chromium; each backend (`chromium/webgl` ...) gets a page of its own, and so does each peer. */
export async function openChromium(ids: readonly string[], { versions, absent }: Register): Promise<Runtime> {
  const executable = findChromium();
  if (!executable) {
    absent.push('Chromium; `npm run setup` says why');
    return { entrances: {}, close: async () => {} };
  }
  process.env.CHROMIUM_PATH = executable;
  const files = { ...pageFiles(['bench/page.ts']), ...(hasNanogpt() ? nanogptPage() : {}) };
  const server = await serve(files);
  const browser = await launchChromium(JS_FLAGS);
  versions.Chromium = browser.version();
  const entrances: Record<string, Runtime['entrances'][string]> = {};
  const open = async (id: string, peer?: string) => {
    const name = peer ? `${peer} beside ${id}` : id;
    if (peer === NANOGPT && !hasNanogpt()) {
      absent.push(`${name}; \`npm install --no-save ${NANOGPT}@1.3.0\` brings it`);
      return;
    }
    const page = await browser.newPage();
    await page.goto(`${server.url}/${peer === NANOGPT ? 'nanogpt-page' : 'page'}`);
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
      await place.open(id.split('/')[1], peer);
      entrances[name] = (shape) => seat(id, place, shape);
    } catch (error) {
      absent.push(`${name}: ${(error as Error).message}`);
      await page.close();
    }
  };
  for (const id of ids) await open(id);
  for (const [peer, all] of Object.entries(PEERS)) {
    for (const id of all) if (ids.includes(id)) await open(id, peer);
  }
  return {
    entrances,
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

const nanogptPage = () => pageFiles(['bench/nanogpt-page.ts'], nanogptAlias('node_modules'));
