import { execFileSync } from 'node:child_process';

test('the embedded SIMD modules are what their source compiles to', () => {
  execFileSync(process.execPath, ['src/kernels/simd/build.mjs', '--check'], { stdio: 'pipe' });
}, 60_000);
