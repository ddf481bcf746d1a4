// The loss of @genai-fi/nanogpt, which brings kernels of its own for it, beside this package's: in Chromium, on its backends.
import { join } from 'node:path';
import { build } from 'esbuild';
import { nanogptAlias } from '../../bench/nanogpt';
import { findChromium } from '../../scripts/setup/chromium-path.mjs';
import { launchChromium, serve } from '../../test/support/browser';
import type { Measured } from './nanogpt-page';
import { install } from './project';

declare const measure: (backend: string, masked: boolean, smoothing: number) => Promise<Measured>;

process.env.CHROMIUM_PATH ??= findChromium();
const project = install('@genai-fi/nanogpt@1.3.0');
const { outputFiles } = await build({
  entryPoints: ['examples/adopters/nanogpt-page.ts'],
  alias: nanogptAlias(join(project.folder, 'node_modules')),
  bundle: true,
  ignoreAnnotations: true, // their kernels register themselves
  write: false,
  format: 'esm',
  target: 'es2022',
});
const server = await serve({
  '/': { text: '<!doctype html><script type="module" src="/page.js"></script>' },
  '/page.js': { text: outputFiles[0].text },
});
const browser = await launchChromium();
console.log(
  '| backend | labels ignored, smoothing | whose | programs | ms | peak MB on the GPU | error of the gradient |',
);
console.log('| --- | --- | --- | ---: | ---: | ---: | ---: |');
for (const backend of ['webgl', 'webgpu']) {
  for (const [masked, smoothing] of [
    [false, 0],
    [true, 0.1],
  ] as const) {
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.waitForFunction('typeof measure === "function"');
    const measured = await page.evaluate(([backend, masked, smoothing]) => measure(backend, masked, smoothing), [
      backend,
      masked,
      smoothing,
    ] as const);
    for (const whose of ['theirs', 'ours'] as const) {
      const { programs, ms, megabytes, error } = measured[whose];
      const options = `${masked ? 'yes' : 'no'}, ${smoothing}`;
      console.log(
        `| ${backend} | ${options} | ${whose} | ${programs} | ${ms.toFixed(0)} | ${megabytes.toFixed(1)} | ${error.toExponential(1)} |`,
      );
    }
    await page.close();
  }
}
await browser.close();
await server.close();
project.dispose();
