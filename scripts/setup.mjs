// Provides what the tests need and `npm ci` does not bring: tfjs-node's native binding and a headless Chromium.
import { provisionChromium } from './setup/chromium.mjs';
import { provisionDawn } from './setup/dawn.mjs';
import { provisionNative } from './setup/native.mjs';

const say = (text) => console.log(`setup: ${text}`);

// Leave by the door, so that the exit handlers end child processes and undo half-done work.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const attempt = (provision) =>
  provision(say).catch((error) => ({ ok: false, why: [error.message], todo: 'see above' }));
const chromium = attempt(provisionChromium);

const items = [
  ['native binding', 'the tests of the tensorflow backend', attempt(provisionNative)],
  ['chromium', 'the browser tests (webgl, webgpu)', chromium],
  // Which may render with what Chromium brings.
  ['webgpu in Node', 'the tests of webgpu in Node', chromium.then(() => attempt(provisionDawn))],
];
const results = await Promise.all(items.map(([, , result]) => result));

const strict = ['true', '1'].includes(process.env.CI ?? '');
console.log();
for (const [index, [name, tests]] of items.entries()) {
  const { ok, detail, why, todo } = results[index];
  const label = name.padEnd(14);
  if (ok) {
    console.log(`${label}  ${detail}`);
    continue;
  }
  console.log(`${label}  MISSING: ${strict ? 'CI must not skip' : 'skipping'} ${tests}`);
  for (const reason of why) console.log(`                why: ${reason}`);
  console.log(`                do:  ${todo}`);
}
console.log();
if (strict && results.some(({ ok }) => !ok)) process.exitCode = 1;
