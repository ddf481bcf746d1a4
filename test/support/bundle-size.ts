import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';

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
  });

/** Bytes of an entry of `dist`, as a user's bundler makes it: minified, and gzipped. */
export function sizeOf(entryPoint: string): { minified: number; gzipped: number } {
  const { contents } = bundle(entryPoint).outputFiles[0];
  return { minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}

/** What each folder of the sources costs: its share of the minified sources, scaled to so many bytes. */
export function sharesOf(entryPoint: string, bytes: number): [folder: string, bytes: number][] {
  const { outputFiles, metafile } = bundle(entryPoint);
  const total = outputFiles[0].contents.length;
  const shares = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(Object.values(metafile.outputs)[0].inputs)) {
    const folder = path.replace(/^src\//, '').replace(/\/[^/]*$/, '');
    shares.set(folder, (shares.get(folder) ?? 0) + bytesInOutput);
  }
  return [...shares].map(([folder, share]) => [folder, Math.round((share / total) * bytes)]);
}
