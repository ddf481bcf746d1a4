import { fileURLToPath } from 'node:url';
import { bundleForNode, startProcess } from '../test/support/child';
import { placeElsewhere } from './place';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Bundles a script of this folder for Node. */
export const bundle = (name: string): string => bundleForNode(path(`${name}.ts`), path(`../output/${name}.cjs`));

/** Starts a place in a process of its own: no other backend's garbage, nor its types in V8's caches. */
export function startChild(script: string, env: NodeJS.ProcessEnv = process.env) {
  const { call, close } = startProcess(script, env, ['--expose-gc', '--no-flush-bytecode']);
  return { place: placeElsewhere(call), close };
}
