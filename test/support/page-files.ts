import { basename } from 'node:path';
import { buildSync } from 'esbuild';
import type { Served } from './browser';

const WASM = 'node_modules/@tensorflow/tfjs-backend-wasm/dist';
const wasmFiles = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'];

/** A page `/name` for each entry point `name.ts`, bundled with the sources, and what the wasm backend loads. */
export function pageFiles(entryPoints: string[], alias: Record<string, string> = {}): Record<string, Served> {
  const { outputFiles } = buildSync({
    entryPoints,
    alias,
    outdir: 'output',
    bundle: true,
    ignoreAnnotations: true, // package.json names the side effects of dist/, not of the sources
    write: false,
    format: 'iife',
    define: { 'process.env.NODE_ENV': '"test"' },
  });
  const files: Record<string, Served> = {};
  for (const { path, text } of outputFiles) {
    const name = basename(path, '.js');
    files[`/${name}`] = { text: `<!doctype html><title>${name}</title><script src="/${name}.js"></script>` };
    files[`/${name}.js`] = { text };
  }
  for (const name of wasmFiles) files[`/${name}`] = { file: `${WASM}/${name}` };
  return files;
}
