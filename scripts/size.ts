// What each entry of the build weighs, as Markdown: `npm run size`, after `npm run build`.
import { sharesOf, sizeOf } from '../test/support/bundle-size';

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

console.log('| entry | minified | gzipped |\n| --- | ---: | ---: |');
for (const entry of ['index', 'layers', 'layers-auto', 'graph']) {
  const { minified, gzipped } = sizeOf(`dist/${entry}.js`);
  console.log(`| ${entry} | ${kilobytes(minified)} | ${kilobytes(gzipped)} |`);
}
const script = sizeOf('dist/tfjs-cross-entropy.min.js');
console.log(`| script tag, with everything | ${kilobytes(script.minified)} | ${kilobytes(script.gzipped)} |`);

console.log('\n| of index | gzipped |\n| --- | ---: |');
const shares = sharesOf('src/index.ts', sizeOf('dist/index.js').gzipped).sort(([, a], [, b]) => b - a);
for (const [folder, bytes] of shares) console.log(`| ${folder} | ${kilobytes(bytes)} |`);
