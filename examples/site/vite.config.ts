import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import type { Digits } from '../mnist/data';
import { loadDigits } from '../mnist/load-digits';

const root = import.meta.dirname;
const sources = resolve(root, '../../src');

/** No script and no style but the site's own files, nothing inline; WebAssembly may be compiled; no other host is asked. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The pages of a build carry their Content-Security-Policy, wherever they are hosted. Vite's dev server needs inline styles. */
const policy: Plugin = {
  name: 'policy',
  apply: 'build',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' },
  ],
};

/** `package.json` names the side effects of `dist/`; the sources register kernels and gradients, too. */
const sideEffects: Plugin = {
  name: 'side-effects',
  transform: (_, id) => (id.startsWith(sources) ? { moduleSideEffects: true } : null),
};

/** `virtual:digits`: the pixels of `loadDigits`, a byte each, gzipped, in base64; and the labels, a character each. */
const digits: Plugin = {
  name: 'digits',
  resolveId: (id) => (id === 'virtual:digits' ? '\0digits' : null),
  async load(id) {
    if (id !== '\0digits') return null;
    const split = await loadDigits();
    const declare = (name: string, { images, labels }: Digits) => {
      const pixels = gzipSync(
        Uint8Array.from(images, (ink) => Math.round(255 * ink)),
        { level: 9 },
      );
      return `export const ${name} = ${JSON.stringify({ pixels: pixels.toString('base64'), labels: labels.join('') })};`;
    };
    return `${declare('train', split.train)}\n${declare('heldOut', split.heldOut)}`;
  },
};

const readJson = (path: string) => JSON.parse(readFileSync(resolve(root, '../..', path), 'utf8'));
const golden: { cases: { tags: string[] }[]; meta: { torch: string } } = readJson('test/oracle/golden.json');
const facts = {
  library: readJson('package.json').version,
  tfjs: readJson('node_modules/@tensorflow/tfjs-core/package.json').version,
  pytorch: golden.meta.torch,
  cases: golden.cases.filter(({ tags }) => !tags.includes('quirk')).length,
};

export default defineConfig({
  root,
  base: './', // hosted anywhere
  define: { __FACTS__: facts },
  plugins: [policy, sideEffects, digits],
  resolve: { alias: [{ find: /^tfjs-cross-entropy$/, replacement: resolve(sources, 'index.ts') }] },
  worker: { format: 'es', plugins: () => [sideEffects, digits] },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the policy allows no data: URLs
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 3000,
    rollupOptions: {
      input: readdirSync(root)
        .filter((name) => name.endsWith('.html'))
        .map((name) => resolve(root, name)),
    },
  },
});
