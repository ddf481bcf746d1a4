import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { buildSync } from 'esbuild';
import { type Reach, reachOf } from '../support/globals-of';

/** What the package holds, and what its code can reach: `npm pack` of the build as it stands. */
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

const packed: string[] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' }),
)[0].files.map(({ path }: { path: string }) => path);

const code = packed.filter((path) => /\.c?js$/.test(path));
const read = (path: string) => readFileSync(path, 'utf8');

/** Every path that package.json names, at any depth. */
const pathsIn = (value: unknown): string[] =>
  typeof value === 'string'
    ? [posix.normalize(value)]
    : Object.values(value as object).flatMap((inner: unknown) => pathsIn(inner));

const entries = () => {
  const { main, module, types, unpkg, jsdelivr, exports } = manifest;
  return [...new Set(pathsIn([main, module, types, unpkg, jsdelivr, exports]))];
};

beforeAll(() => {
  if (!existsSync('dist/index.js')) throw new Error('dist/ is missing: run `npm run build` first.');
});

describe('the files', () => {
  test('beside the build are exactly these', () => {
    expect(packed.filter((path) => !path.startsWith('dist/')).sort()).toEqual([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'bench/results.svg',
      'docs/backends.md',
      'docs/big-vocabularies.md',
      'docs/compatibility.md',
      'docs/errors.md',
      'docs/how-this-plug-in-is-made.md',
      'docs/language-model.svg',
      'docs/layers.md',
      'docs/performance.md',
      'docs/porting-from-pytorch.md',
      'docs/site-check.webp',
      'docs/site-compare.webp',
      'docs/site-explain-dark.webp',
      'docs/site-explain.webp',
      'graph/package.json',
      'layers/auto/package.json',
      'layers/package.json',
      'package.json',
    ]);
  });

  test('that package.json names are all there', () => {
    expect(entries().length).toBeGreaterThan(15);
    for (const path of entries()) expect(packed).toContain(path);
    for (const folder of ['layers', 'layers/auto', 'graph']) {
      const { main, types } = JSON.parse(read(`${folder}/package.json`));
      for (const path of [main, types]) expect(packed).toContain(posix.join(folder, path));
    }
  });

  /** Nothing is left of an earlier build, and nothing is there that nobody can import. */
  test('of the build are all reached from an entry', () => {
    const reached = new Set<string>();
    const follow = (path: string): void => {
      if (reached.has(path) || path === 'package.json') return;
      reached.add(path);
      for (const [, specifier] of read(path).matchAll(/(?:from|import|require\()\s*["'](\.[^"']+)["']/g)) {
        const target = posix.join(dirname(path), specifier);
        // Declarations name the module beside them.
        const declaration = target.replace(/\.(c?)js$/, '.d.$1ts');
        follow(/\.d\.c?ts$/.test(path) && existsSync(declaration) ? declaration : target);
      }
    };
    for (const entry of entries()) follow(entry);
    expect(packed.filter((path) => path.startsWith('dist/')).sort()).toEqual([...reached].sort());
  });

  test('are made of our own sources alone: no notices are due', () => {
    const { inputs } = buildSync({
      entryPoints: ['src/index.ts', 'src/layers/index.ts', 'src/layers/auto.ts', 'src/graph/index.ts', 'src/global.ts'],
      bundle: true,
      write: false,
      metafile: true,
      outdir: 'output',
      format: 'esm',
      external: ['@tensorflow/tfjs-core'],
    }).metafile;
    expect(Object.keys(inputs).length).toBeGreaterThan(50);
    expect(Object.keys(inputs).filter((path) => !path.startsWith('src/'))).toEqual([]);
    expect(Object.keys(manifest.peerDependencies)).toEqual(['@tensorflow/tfjs-core']);
    expect([manifest.dependencies, manifest.optionalDependencies]).toEqual([undefined, undefined]);
  });
});

test('CHANGELOG tells what is in this version', () => {
  const [newest] = read('CHANGELOG.md').match(/^## .*$/m)!;
  expect(newest).toBe(`## ${manifest.version}`);
});

/** The language, arithmetic on memory, and a warning: no other global of any platform. */
const ALLOWED = new Set([
  ...['Array', 'Boolean', 'Error', 'Map', 'Math', 'NaN', 'Number', 'Object', 'RangeError', 'Reflect', 'RegExp', 'Set'],
  ...['String', 'Symbol', 'TypeError', 'WeakMap', 'WeakSet', 'Infinity', 'undefined', 'Promise', 'JSON', 'BigInt'],
  ...['ArrayBuffer', 'Float32Array', 'Float64Array', 'Int32Array', 'Uint8Array', 'SharedArrayBuffer', 'WebAssembly'],
  ...['console', 'globalThis', 'require', 'exports', 'module', 'tf'],
]);

/** Also not by way of `globalThis`, or of any other object. */
const FORBIDDEN = new Set([
  ...['eval', 'Function', 'importScripts', 'Worker', 'SharedWorker', 'document', 'navigator', 'process'],
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'sendBeacon', 'RTCPeerConnection', 'Image', 'location'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame', 'requestIdleCallback', 'queueMicrotask'],
  ...['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'cookie'],
]);

const forbidden = ({ globals, imports, properties }: Reach) => [
  ...globals.filter((name) => !ALLOWED.has(name)),
  ...properties.filter((name) => FORBIDDEN.has(name)),
  ...imports.filter((name) => name !== '@tensorflow/tfjs-core' && !name.startsWith('./')),
];

describe('no eval, no network, no timers, nothing but tfjs-core', () => {
  test.each(code)('in %s', (path) => expect(forbidden(reachOf(read(path)))).toEqual([]));

  test('this finds them where they are', () => {
    const found = (code: string) => forbidden(reachOf(code));
    expect(code.length).toBeGreaterThan(8);
    expect(found('const run = eval; (0, run)("1")')).toEqual(['eval']);
    expect(found('new Function("return 1")()')).toEqual(['Function']);
    expect(found('const { fetch: get } = globalThis; get("/")')).toEqual(['fetch']);
    expect(found('globalThis["setTimeout"](() => 1)')).toEqual(['setTimeout']);
    expect(found('self.setInterval(() => 1)')).toEqual(['self', 'setInterval']);
    expect(found('await import(name)')).toEqual(['name', '(computed)']);
    expect(found('require("node:https")')).toEqual(['node:https']);
    expect(found('import "@tensorflow/tfjs-backend-cpu"')).toEqual(['@tensorflow/tfjs-backend-cpu']);
    expect(found('const fetch = (x) => x; const text = "eval"; /* setTimeout */ fetch(text)')).toEqual([]);
  });
});
