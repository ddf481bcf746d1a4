import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';

const LIMIT = 16_000;

test(`the main entry has at most ${LIMIT / 1000} kB, minified and gzipped`, () => {
  const { outputFiles, metafile } = buildSync({
    entryPoints: ['src/index.ts'],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2020',
    external: ['@tensorflow/tfjs-core'],
  });
  const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;

  // What each part costs: its share of the minified bytes, scaled to the gzipped ones.
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
