import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const QUIET = ['--no-audit', '--no-fund', '--silent', '--prefer-offline', '--ignore-scripts'];

/** A stranger's project with the packed tarball and packages of npm's: nothing in it may see the sources. */
export class Consumer {
  readonly folder: string;
  /** The installed package. */
  readonly library: string;

  constructor(packages = ['@tensorflow/tfjs@4.22.0']) {
    if (!existsSync('dist/index.js')) throw new Error('dist/ is missing: run `npm run build` first.');
    this.folder = mkdtempSync(join(tmpdir(), 'consumer-'));
    this.library = join(this.folder, 'node_modules/tfjs-cross-entropy');
    execFileSync('npm', ['pack', '--silent', '--pack-destination', this.folder]);
    const tarball = readdirSync(this.folder).find((name) => name.endsWith('.tgz'))!;
    this.write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
    this.run('npm', 'install', ...QUIET, `./${tarball}`, ...packages);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** What a program says on stdout; an error with all that it said where it fails. */
  run(file: string, ...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(file, args, { cwd: this.folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${file} ${args.join(' ')}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Compiles files, strictly; what is installed in this repository alone may be named in `paths`. */
  compile(files: string[], options: object): void {
    const compilerOptions = { strict: true, target: 'es2022', types: [], skipLibCheck: true, ...options };
    this.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    this.run('node', resolve('node_modules/typescript/bin/tsc'), '-p', '.');
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
