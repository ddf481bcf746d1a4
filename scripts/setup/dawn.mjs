import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium } from './chromium-path.mjs';
import { run } from './run.mjs';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** A GPU is found by what is installed, or else, on Linux, the software renderer that comes with Chromium. */
export async function loadDawn() {
  const reasons = [];
  for (const env of [{}, ...softwareRenderer()]) {
    const { ok, stdout, reason } = await run(process.execPath, ['--input-type=module', '-e', PROBE], {
      seconds: 60,
      cwd: project,
      env,
    });
    if (ok) return { ok, env, adapter: stdout.trim() };
    reasons.push(reason);
  }
  return { ok: false, env: {}, reason: reasons.at(-1) };
}

/** Dawn, npm's `webgpu`: it comes with `npm ci`, but wants a GPU, or what passes for one. */
export async function provisionDawn() {
  const { ok, adapter, reason } = await loadDawn();
  if (ok) return { ok, detail: `present (Dawn on ${adapter})` };
  return { ok, why: [reason], todo: "install a GPU's Vulkan driver, or Chromium, whose software renderer does" };
}

const PROBE = `
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter();
  if (!adapter) throw new Error('Dawn finds no adapter');
  await adapter.requestDevice();
  console.log(adapter.info.description || adapter.info.device);
  process.exit();`;

/** The environment that makes Vulkan find it. */
function softwareRenderer() {
  const chromium = findChromium();
  const folders = [
    ...(chromium ? [dirname(realpathSync(chromium))] : []),
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
  ];
  const icd = 'vk_swiftshader_icd.json';
  const folder = folders.find((folder) => [icd, 'libvulkan.so.1'].every((name) => existsSync(join(folder, name))));
  return folder ? [{ LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: join(folder, icd) }] : [];
}
