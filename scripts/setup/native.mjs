import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import { cacheFolder, restore, store } from './cache.mjs';
import { compile } from './compile.mjs';
import { downloadOfficial } from './official.mjs';
import { run } from './run.mjs';
import { TENSORFLOW_VERSION, unpackWheel } from './wheel.mjs';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** The native binding of @tensorflow/tfjs-node, which `ignore-scripts` keeps `npm ci` from installing. */
export async function provisionNative(report) {
  const home = findPackage();
  if (!home) return { ok: false, why: ['@tensorflow/tfjs-node is not in node_modules'], todo: 'run: npm ci' };

  const present = await loadNative();
  if (present.ok) return { ok: true, detail: `present (TensorFlow ${present.version})` };
  if (typeof util.isNullOrUndefined !== 'function') {
    const why = `tfjs-node 4.22 calls util.isNullOrUndefined, which Node ${process.versions.node} no longer has`;
    return { ok: false, why: [why], todo: 'use Node 18, 20 or 22' };
  }

  const say = (text) => report(`native binding: ${text}`);
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const cache = cacheFolder(version, TENSORFLOW_VERSION);
  const routes = {
    cache: () => restore(cache, home),
    'official download': async () => {
      await downloadOfficial(home, project);
      // The finished bindings are for x64 only, but carry no architecture in their names.
      if (!(await loadNative()).ok) await compile(home);
    },
    'TensorFlow wheel': async () => {
      await unpackWheel(home, say);
      say('compiling the binding with node-gyp');
      await compile(home);
    },
  };
  if (!existsSync(cache)) delete routes.cache;

  const why = [];
  for (const [route, provide] of Object.entries(routes)) {
    const start = Date.now();
    say(`trying the ${route}`);
    try {
      for (const part of ['deps', 'lib']) rmSync(join(home, part), { recursive: true, force: true });
      await provide();
      const loaded = await loadNative();
      if (!loaded.ok) throw new Error(`it does not load: ${loaded.reason}`);
      if (route !== 'cache') keep(home, cache, say);
      const seconds = ((Date.now() - start) / 1000).toFixed(1);
      return { ok: true, detail: `installed (TensorFlow ${loaded.version}, from the ${route} in ${seconds} s)` };
    } catch (error) {
      why.push(`${route}: ${error.message}`);
      say(`the ${route} failed: ${error.message}`);
    }
  }
  return { ok: false, why, todo: 'clear one of these reasons (network, pip, compiler), then run: npm run setup' };
}

/** Only an operation that ran proves the binding: a file of the right name may still miss its libraries. */
export async function loadNative() {
  const program = `
    const tf = require('@tensorflow/tfjs-node');
    if (tf.add(1, 2).dataSync()[0] !== 3) throw new Error('1 + 2 is not 3');
    console.log(tf.backend().binding.TF_Version);`;
  const env = { TF_CPP_MIN_LOG_LEVEL: '3' };
  const { ok, stdout, reason } = await run(process.execPath, ['-e', program], { seconds: 60, cwd: project, env });
  return { ok, reason, version: stdout.trim().split('\n').at(-1) };
}

function findPackage() {
  try {
    return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'));
  } catch {
    return undefined;
  }
}

/** A full disk or a read-only home only costs the next clone its shortcut. */
function keep(home, cache, say) {
  try {
    store(home, cache);
  } catch (error) {
    say(`not cached for the next clone: ${error.message}`);
  }
}
