import { spawn } from 'node:child_process';

const windows = process.platform === 'win32';

/**
 * Run a program quietly and within a time limit.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ seconds: number, cwd?: string, env?: Record<string, string> }} options
 * @returns {Promise<{ ok: boolean, stdout: string, reason: string }>} `reason` is one line, for people.
 */
export function run(command, args, { seconds, cwd, env }) {
  return new Promise((resolve) => {
    // Its own process group, so that the time limit also ends what it started itself: make, g++, browser helpers.
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: !windows,
      windowsHide: true,
    });
    let stdout = '';
    let stderr = '';
    let late = false;
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });

    const kill = () => {
      try {
        if (windows) child.kill();
        else process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Already gone.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, seconds * 1000);
    process.once('exit', kill);

    const settle = (ok, reason) => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve({ ok, stdout, reason });
    };
    child.on('error', (error) =>
      settle(false, error.code === 'ENOENT' ? `${command} is not installed` : error.message),
    );
    child.on('close', (code) => {
      if (late) settle(false, `no answer within ${seconds} s`);
      else settle(code === 0, code === 0 ? '' : explain(`${stderr}\n${stdout}`, `${command} ended with code ${code}`));
    });
  });
}

/** Like `run`, for steps without which there is no going on. */
export async function must(command, args, options) {
  const { ok, reason } = await run(command, args, options);
  if (!ok) throw new Error(reason);
}

/** The line that tells most: pip and apt end with it, compilers and Node start with it. */
function explain(output, otherwise) {
  const lines = output.split('\n').map((line) => line.replace(/^gyp ERR! (stack )?/, '').trim());
  const line =
    lines.findLast((line) => /^(ERROR|E):/.test(line)) ??
    lines.find((line) => /\berror: |Error: |No module named|cannot open shared object/.test(line)) ??
    lines.findLast((line) => line !== '') ??
    otherwise;
  // What pip then calls missing, it only could not look for.
  const offline = output.includes('connection broken by') ? ' (network out of reach)' : '';
  return line.slice(0, 300) + offline;
}
