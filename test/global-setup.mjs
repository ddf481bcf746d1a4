import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findChromium } from '../scripts/setup/chromium-path.mjs';
import { loadDawn } from '../scripts/setup/dawn.mjs';
import { loadNative } from '../scripts/setup/native.mjs';

/** Not provisioned: only the tests of the site use it. */
function findFirefox() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = ['firefox-esr', 'firefox'].flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env.FIREFOX_PATH, ...candidates].find((path) => path && existsSync(path));
}

/** Finds out which backends can be tested here, and tells the tests by the environment. */
export default async function globalSetup() {
  const chromium = findChromium();
  const firefox = findFirefox();
  const [native, dawn] = await Promise.all([loadNative(), loadDawn()]);
  if (chromium) process.env.CHROMIUM_PATH = chromium;
  if (firefox) process.env.FIREFOX_PATH = firefox;
  else console.warn('\n!!!! SKIPPED: the site in Firefox. Install firefox-esr, or set FIREFOX_PATH. !!!!\n');
  if (native.ok) process.env.NATIVE = native.version;
  if (dawn.ok) process.env.DAWN = JSON.stringify(dawn.env);
  const missing = [
    !native.ok && 'tensorflow (no native binding)',
    !dawn.ok && "webgpu in Node (Dawn finds no GPU, nor Chromium's software renderer)",
    !chromium && 'webgl, webgpu and the pages (no Chromium)',
  ];
  for (const what of missing.filter(Boolean)) {
    console.warn(`\n!!!! SKIPPED: the tests of ${what}. Run \`npm run setup\` to see why. !!!!\n`);
    if (['true', '1'].includes(process.env.CI ?? '')) throw new Error(`CI must test ${what}`);
  }
}
