import { existsSync } from 'node:fs';
import { sharesOf, sizeOf } from '../support/bundle-size';

/** With the kernels of all backends: the SIMD modules are more than a quarter of it, the shaders as much. */
const LIMIT = 35_800;

test(`the main entry has at most ${LIMIT / 1000} kB, minified and gzipped`, () => {
  if (!existsSync('dist/index.js')) throw new Error('dist/ is missing: run `npm run build` first.');
  // As users get it: the build shortens the shaders, which minifiers leave alone.
  const size = sizeOf('dist/index.js').gzipped;
  const lines = sharesOf('src/index.ts', size).map(([folder, bytes]) => `${folder.padEnd(20)} ${bytes} B`);
  console.log(`minified and gzipped: ${size} B\n${lines.join('\n')}`);
  expect(size).toBeLessThanOrEqual(LIMIT);
});
