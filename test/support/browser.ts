import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Software rendering for both GPU backends, and no look-ups of a vendor's hosts at the start. */
const FLAGS = [
  '--no-sandbox',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--disable-background-networking',
  '--disable-component-update',
];

/** The Chromium that the set-up found; see `global-setup.mjs`. */
export function launchChromium(...flags: string[]): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM_PATH, args: [...FLAGS, ...flags] });
}

const TYPES: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/** What a path answers with: a text, or the contents of a file. */
export type Served = { readonly text: string } | { readonly file: string };

/** Serves pages to a browser on this machine. */
export async function serve(files: Record<string, Served>, headers: Record<string, string> = {}) {
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    const entry = files[path];
    if (!entry) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/html', ...headers });
    response.end('text' in entry ? entry.text : readFileSync(entry.file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections(); // browsers open some that they may never use
      }),
  };
}
