import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptInstall } from './apt.mjs';
import { findChromium } from './chromium-path.mjs';
import { run } from './run.mjs';

/** No GPU, and none of what a browser does besides showing pages. */
const FLAGS = [
  '--headless --no-sandbox --disable-gpu --no-first-run',
  '--disable-extensions --disable-component-update --disable-background-networking --disable-sync',
].flatMap((line) => line.split(' '));

/** The headless browser of the WebGL and WebGPU tests. */
export async function provisionChromium(report) {
  const named = process.env.CHROMIUM_PATH;
  const present = findChromium();
  if (!present && named) {
    return { ok: false, why: [`CHROMIUM_PATH names no file: ${named}`], todo: 'correct or unset CHROMIUM_PATH' };
  }
  const failures = present ? [] : await aptInstall(['chromium'], (text) => report(`chromium: ${text}`));
  const path = present ?? findChromium();
  if (!path) return { ok: false, why: ['no Chromium or Chrome found', ...failures], todo: advice() };

  const { version, reason } = await start(path);
  if (!version) return { ok: false, why: [`${path} does not start headless: ${reason}`], todo: advice() };
  return { ok: true, detail: `${present ? 'present' : 'installed'} (Chromium ${version}, ${path})` };
}

function advice() {
  const commands = {
    linux: 'sudo apt-get install chromium (or: npx playwright-core install chromium)',
    darwin: 'brew install --cask chromium (or: npx playwright-core install chromium)',
    win32: 'npx playwright-core install chromium',
  };
  return `run: ${commands[process.platform] ?? commands.linux}, or set CHROMIUM_PATH`;
}

/** Let it render a page that says who renders it. */
async function start(path) {
  // A profile of its own: a browser that is already open would take the page over.
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const page = 'data:text/html,<script>document.write(navigator.userAgent)</script>';
  const args = [...FLAGS, `--user-data-dir=${profile}`, '--dump-dom', page];
  const { ok, stdout, reason } = await run(path, args, { seconds: 30 });
  rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  return { version: stdout.match(/Chrome\/(\d+)/)?.[1], reason: ok ? 'it rendered nothing' : reason };
}
