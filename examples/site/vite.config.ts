import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import type { Digits } from '../mnist/data';
import { loadDigits } from '../mnist/load-digits';
import { en } from './messages/en';
import type { PageName } from './page';

const root = import.meta.dirname;
const sources = resolve(root, '../../src');

const readJson = (path: string) => JSON.parse(readFileSync(resolve(root, '../..', path), 'utf8'));
const golden: { cases: { tags: string[] }[]; meta: { torch: string } } = readJson('test/oracle/golden.json');
const facts = {
  library: readJson('package.json').version,
  tfjs: readJson('node_modules/@tensorflow/tfjs-core/package.json').version,
  pytorch: golden.meta.torch,
  cases: golden.cases.filter(({ tags }) => !tags.includes('quirk')).length,
};

const NO_SCRIPT = 'This page computes in your browser: it needs JavaScript. 本页在浏览器中计算，需要 JavaScript。';

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

/** A page's own file names its script alone: the head of all pages is written here. */
const head: Plugin = {
  name: 'head',
  transformIndexHtml: {
    order: 'pre', // what it links is built, too
    handler(_, { filename, server }) {
      const { title, lead } = en[basename(filename, '.html').replace('index', 'explain') as PageName];
      const tags: [string, Record<string, string>, string?][] = [
        ['meta', { charset: 'utf-8' }],
        ['meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }],
        ['meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }],
        ['meta', { name: 'color-scheme', content: 'light dark' }],
        ['meta', { name: 'description', content: typeof lead === 'string' ? lead : lead(facts.cases) }],
        ['title', {}, `${title} · tfjs-cross-entropy`],
        ['link', { rel: 'icon', href: './icon.svg', type: 'image/svg+xml' }],
        ['link', { rel: 'stylesheet', href: './style.css' }],
      ];
      return [
        ...tags
          .filter(([, attrs]) => !server || attrs.content !== POLICY) // Vite's development server has inline styles
          .map(([tag, attrs, children]) => ({ tag, attrs, children, injectTo: 'head-prepend' as const })),
        { tag: 'noscript', children: NO_SCRIPT, injectTo: 'body' as const },
      ];
    },
  },
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

/** `service-worker.js`, with the names of all files of a build, and a name for their contents. */
const offline: Plugin = {
  name: 'offline',
  apply: 'build',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      const files = Object.values(bundle).sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
      const hash = createHash('sha256');
      for (const file of files) hash.update(file.fileName).update(file.type === 'chunk' ? file.code : file.source);
      const source = readFileSync(resolve(root, 'service-worker.js'), 'utf8')
        .replace('__FILES__', JSON.stringify(['./', ...files.map(({ fileName }) => fileName)]))
        .replace('__VERSION__', JSON.stringify(hash.digest('hex').slice(0, 16)));
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    },
  },
};

export default defineConfig({
  root,
  base: './', // hosted anywhere
  define: { __FACTS__: facts },
  plugins: [head, offline, sideEffects, digits],
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
