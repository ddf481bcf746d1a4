import { fork } from 'node:child_process';
import { once } from 'node:events';
import { buildSync } from 'esbuild';

/**
 * Bundles a script, with the sources, for Node as the build does it for users: what compiles scripts as they are loaded
 * wraps each function, to keep its name, and makes small steps several times slower.
 */
export function bundleForNode(entryPoint: string, outfile: string): string {
  buildSync({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'es2020',
    external: ['@tensorflow/*', 'webgpu'],
    ignoreAnnotations: true, // package.json names the side effects of dist/, not of the sources
  });
  return outfile;
}

/** Starts a script in a process of its own, which answers as `serve-parent.ts` has it. */
export function startProcess(script: string, env: NodeJS.ProcessEnv, execArgv: string[] = []) {
  const child = fork(script, { env, execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let said = '';
  child.stderr!.on('data', (text) => {
    said = (said + text).slice(-2000);
  });
  const gone = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`its process has ended (${signal ?? code})\n${said}`);
  });
  gone.catch(() => {}); // one that waits for a reply hears of it
  let calls = 0;
  return {
    async call(method: string, args: readonly unknown[]): Promise<unknown> {
      const id = calls++;
      if (child.connected) child.send([id, method, args]);
      for (;;) {
        const [reply] = await Promise.race([once(child, 'message'), gone]);
        if (reply.id !== id) continue; // to a call that nobody waits for any more
        if (reply.error) throw new Error(reply.error);
        return reply.value;
      }
    },
    close: () => child.disconnect(),
  };
}
