import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { placeElsewhere } from './place';

/**
 * Bundles a script of this folder, with the sources, for Node as the build does it for users: what compiles the scripts
 * of this folder as they are loaded wraps each function, to keep its name, and makes small steps several times slower.
 */
export function bundle(name: string): string {
  const outfile = fileURLToPath(new URL(`../output/${name}.cjs`, import.meta.url));
  buildSync({
    entryPoints: [fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'es2020',
    external: ['@tensorflow/*'],
    ignoreAnnotations: true, // package.json names the side effects of dist/, not of the sources
  });
  return outfile;
}

/** Starts a place in a process of its own: no other backend's garbage, nor its types in V8's caches. */
export function startChild(script: string, env: NodeJS.ProcessEnv = process.env) {
  const child = fork(script, { env, execArgv: ['--expose-gc', '--no-flush-bytecode'], stdio: 'ignore' });
  const gone = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`its process has ended (${signal ?? code})`);
  });
  gone.catch(() => {}); // one that waits for a reply hears of it
  const place = placeElsewhere(async (method, args) => {
    if (child.connected) child.send([method, args]);
    const [{ error, value }] = await Promise.race([once(child, 'message'), gone]);
    if (error) throw new Error(error);
    return value;
  });
  return { place, close: () => child.disconnect() };
}
