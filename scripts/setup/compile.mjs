import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { must } from './run.mjs';

/** Compile the binding against the TensorFlow library in tfjs-node's `deps` folder. */
export async function compile(home) {
  const nodePreGyp = createRequire(join(home, 'package.json')).resolve('@mapbox/node-pre-gyp/bin/node-pre-gyp');
  const args = [nodePreGyp, 'install', '--build-from-source'];
  await must(process.execPath, args, { seconds: 300, cwd: home, env: nodeHeaders() });
}

/** Headers that came with Node spare node-gyp a download that many networks forbid. */
export function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node.h')) ? { npm_config_nodedir: prefix } : {};
}
