import { buildSync } from 'esbuild';
import { launchChromium, serve } from '../test/support/browser';
import type { Budget, Result } from './measure';
import type { PageBench } from './page';

declare const bench: PageBench;

const WASM = 'node_modules/@tensorflow/tfjs-backend-wasm/dist';
const wasmFiles = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'];

export const CHROMIUM_BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu'];

/** Starts Chromium; each backend gets a page of its own. */
export async function startChromium() {
  const bundle = buildSync({
    entryPoints: ['bench/page.ts'],
    bundle: true,
    ignoreAnnotations: true, // package.json names the side effects of dist/, not of the sources
    write: false,
    format: 'iife',
  });
  const server = await serve({
    '/': { text: '<!doctype html><title>benchmark</title><script src="/page.js"></script>' },
    '/page.js': { text: bundle.outputFiles[0].text },
    ...Object.fromEntries(wasmFiles.map((name) => [`/${name}`, { file: `${WASM}/${name}` }])),
  });
  const browser = await launchChromium();
  return {
    version: browser.version(),
    async open(backend: string) {
      const page = await browser.newPage();
      await page.goto(server.url);
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
