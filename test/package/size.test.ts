import { existsSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, buildSync } from 'esbuild';

/** With the kernels of all backends; the shaders are a quarter of it, the SIMD modules a sixth. */
const LIMIT = 25_300;

const bundle = (entryPoint: string) =>
  buildSync({
    entryPoints: [entryPoint],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2020',
    external: ['@tensorflow/tfjs-core'],
  } satisfies BuildOptions);

test(`the main entry has at most ${LIMIT / 1000} kB, minified and gzipped`, () => {
  if (!existsSync('dist/index.js')) throw new Error('dist/ is missing: run `npm run build` first.');
  // As users get it: the build shortens the shaders, which minifiers leave alone.
  const size = gzipSync(bundle('dist/index.js').outputFiles[0].contents, { level: 9 }).length;

  // What each part costs: its share of the minified sources, scaled to the gzipped bytes.
  const { outputFiles, metafile } = bundle('src/index.ts');
  const total = outputFiles[0].contents.length;
  const parts = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(Object.values(metafile.outputs)[0].inputs)) {
    const part = path.replace(/^src\//, '').replace(/\/[^/]*$/, '');
    parts.set(part, (parts.get(part) ?? 0) + bytesInOutput);
  }
  const lines = [...parts].map(([part, bytes]) => `${part.padEnd(20)} ${Math.round((bytes / total) * size)} B`);
  console.log(`minified and gzipped: ${size} B\n${lines.join('\n')}`);
  expect(size).toBeLessThanOrEqual(LIMIT);
});
