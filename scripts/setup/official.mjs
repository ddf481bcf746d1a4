import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { nodeHeaders } from './compile.mjs';
import { must } from './run.mjs';

/** The install script of tfjs-node itself, which downloads TensorFlow 2.9.1 and a finished binding. */
export async function downloadOfficial(home, project) {
  await reach(process.env.TFJS_NODE_CDN_STORAGE || 'https://storage.googleapis.com/');

  // The script calls `node-pre-gyp` and `node` by name.
  const PATH = [join(project, 'node_modules', '.bin'), dirname(process.execPath), process.env.PATH].join(delimiter);

  // The script rewrites its own package.json, and leaves it so when it fails.
  const manifest = join(home, 'package.json');
  const original = readFileSync(manifest);
  const revert = () => writeFileSync(manifest, original);
  process.once('exit', revert);
  try {
    await must(process.execPath, [join('scripts', 'install.js')], {
      seconds: 300,
      cwd: home,
      env: { ...nodeHeaders(), PATH },
    });
  } finally {
    process.off('exit', revert);
    revert();
  }
}

/** A network that drops packets would hold the script for minutes. */
async function reach(host) {
  // Behind a proxy only the script knows the way.
  if (['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some((name) => process.env[name])) return;
  try {
    await fetch(host, { method: 'HEAD', signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    throw new Error(`${host} is out of reach (${error.cause?.code ?? error.message})`);
  }
}
