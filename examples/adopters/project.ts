import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A temporary folder where a version of a package is installed from npm, and beside it this package as it is built. */
export function install(spec: string): { folder: string; dispose: () => void } {
  if (!existsSync('dist/index.cjs')) throw new Error('dist/ is missing: run `npm run build` first.');
  const folder = mkdtempSync(join(tmpdir(), 'adopter-'));
  const quiet = ['--no-audit', '--no-fund', '--silent', '--prefer-offline', '--ignore-scripts'];
  execFileSync('npm', ['install', ...quiet, '--prefix', folder, spec], { cwd: folder, stdio: 'inherit' });
  const modules = join(folder, 'node_modules');
  // TensorFlow.js of this repository, whose native binding `npm run setup` has provided.
  rmSync(join(modules, '@tensorflow'), { recursive: true, force: true });
  symlinkSync(resolve('node_modules/@tensorflow'), join(modules, '@tensorflow'));
  symlinkSync(resolve('.'), join(modules, 'tfjs-cross-entropy'));
  return { folder, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A project's source with the changes that an adopter makes, each of which has to find its place once. */
export function edit(source: string, changes: [place: string, replacement: string][]): { text: string; lines: number } {
  let text = source;
  for (const [place, replacement] of changes) {
    const found = text.split(place).length - 1;
    if (found !== 1) throw new Error(`"${place}" is there ${found} times: is this another version of the project?`);
    text = text.replace(place, replacement);
  }
  const before = source.split('\n');
  return { text, lines: text.split('\n').filter((line) => !before.includes(line)).length };
}
