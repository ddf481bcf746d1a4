import { findChromium } from '../scripts/setup/chromium-path.mjs';
import { loadNative } from '../scripts/setup/native.mjs';

/** Finds out which backends can be tested here, and tells the tests by the environment. */
export default async function globalSetup() {
  const chromium = findChromium();
  const native = await loadNative();
  if (chromium) process.env.CHROMIUM_PATH = chromium;
  if (native.ok) process.env.NATIVE = native.version;
  const missing = [
    !native.ok && 'tensorflow (no native binding)',
    !chromium && 'webgl, webgpu and the pages (no Chromium)',
  ];
  for (const what of missing.filter(Boolean)) {
    console.warn(`\n!!!! SKIPPED: the tests of ${what}. Run \`npm run setup\` to see why. !!!!\n`);
    if (['true', '1'].includes(process.env.CI ?? '')) throw new Error(`CI must test ${what}`);
  }
}
