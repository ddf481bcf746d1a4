import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { Consumer } from '../support/consumer';

/** A stranger's project with the packed package, a version of TensorFlow.js, and the checks, which import both from there. */
export function projectWith(version: string, ...packages: string[]): Consumer {
  const project = new Consumer([`@tensorflow/tfjs@${version}`, ...packages]);
  bundleChecks(project.folder);
  return project;
}

/** The checks, and the page that runs them, as modules that import TensorFlow.js and the package from where they lie. */
function bundleChecks(folder: string): void {
  buildSync({
    entryPoints: { checks: 'test/matrix/checks.ts', page: 'test/matrix/page.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    external: ['@tensorflow/*', 'tfjs-cross-entropy', 'tfjs-cross-entropy/*'],
    tsconfigRaw: {}, // ours would lead to the sources
  });
}

/** Where a program of npm's lies once it is installed; kept between runs, like the binding of the set-up. */
export function installed(spec: string): string {
  const root = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(root, 'tfjs-cross-entropy', 'matrix', spec);
  const file = join(folder, 'node_modules', '.bin', spec.replace(/@.*/, ''));
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    // npm's `node`, `bun` and `deno` fetch the build of this platform from npm in a script.
    const options = ['--no-save', '--no-audit', '--no-fund', '--silent', '--ignore-scripts=false'];
    execFileSync('npm', ['install', ...options, '--prefix', folder, spec], { cwd: folder, stdio: 'pipe' });
  }
  if (!existsSync(file)) throw new Error(`npm has no ${spec} for ${process.platform}-${process.arch}`);
  return file;
}
