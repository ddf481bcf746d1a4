import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type Served, serve } from './browser';

export const PAGES = ['index.html', 'train.html', 'check.html', 'compare.html'] as const;

/** The built site, in a folder of its own, and its address. */
export async function serveSite() {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  const command = ['node_modules/vite/bin/vite.js', 'build', 'examples/site', '--configLoader', 'runner'];
  const env = { ...process.env, NODE_ENV: 'production' }; // as anybody builds it, and not as jest's
  execFileSync(process.execPath, [...command, '--outDir', folder, '--logLevel', 'warn'], { stdio: 'pipe', env });
  const files: Record<string, Served> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    files[`/${relative(folder, file)}`] = { file };
  }
  files['/'] = files['/index.html'];
  const server = await serve(files);
  return {
    url: server.url,
    files,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
