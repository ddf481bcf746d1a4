import { copyFileSync, linkSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What a build leaves behind and a run needs: the TensorFlow libraries and the binding that links to them. */
const PARTS = [join('deps', 'lib'), 'lib'];

/** The user's cache folder for a binding of these versions, which every clone shares. */
export function cacheFolder(tfjsNodeVersion, tensorflowVersion) {
  const root = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const key = [
    `tfjs-node-${tfjsNodeVersion}`,
    `tensorflow-${tensorflowVersion}`,
    `abi-${process.versions.modules}`,
    `${process.platform}-${process.arch}`,
  ];
  return join(root, 'tfjs-cross-entropy', key.join('_'));
}

export function restore(cache, home) {
  for (const part of PARTS) copyTree(join(cache, part), join(home, part));
}

export function store(home, cache) {
  // Under another name first: an interrupted copy must not pass for a cache.
  const draft = `${cache}.${process.pid}`;
  try {
    for (const part of PARTS) copyTree(join(home, part), join(draft, part));
    rmSync(cache, { recursive: true, force: true });
    renameSync(draft, cache);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Hard links cost nothing and outlive the cache; across file systems it has to be a copy. */
function copyTree(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkOrCopy(source, target);
  }
}

function linkOrCopy(source, target) {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}
