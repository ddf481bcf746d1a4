import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { launchChromium, type Served } from '../support/browser';

/** Opens a page, and gives back what closes the browser. */
export type Browse = (url: string) => Promise<() => Promise<void>>;

export const chromium: Browse = async (url) => {
  const browser = await launchChromium();
  await (await browser.newPage()).goto(url);
  return () => browser.close();
};

/** Without what it does besides showing pages; and WebGL, although it is rendered in software. */
const PREFERENCES = {
  'webgl.force-enabled': true,
  'webgl.forbid-software': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'app.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

/** Firefox as Debian has it, which no protocol of playwright's drives. It renders WebGL on a display only: a virtual one. */
export const firefox =
  (executable: string): Browse =>
  async (url) => {
    const profile = mkdtempSync(join(tmpdir(), 'firefox-'));
    const preferences = Object.entries(PREFERENCES).map(([name, value]) => [name, value].map((x) => JSON.stringify(x)));
    writeFileSync(join(profile, 'user.js'), preferences.map((pair) => `user_pref(${pair.join(', ')});\n`).join(''));

    const display = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '800x600x24'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const number = await new Promise<string>((resolve, reject) => {
      display.on('error', reject);
      display.stdout.on('data', (text) => resolve(String(text).trim()));
    });
    const args = ['--no-remote', '--profile', profile, url];
    const env = { ...process.env, DISPLAY: `:${number}`, LIBGL_ALWAYS_SOFTWARE: '1' };
    const browser = spawn(executable, args, { env, stdio: 'ignore' });
    return async () => {
      await Promise.all([browser, display].map(ended));
      rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
    };
  };

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('exit', () => resolve());
    if (child.exitCode !== null || !child.kill()) resolve();
  });
}

const TYPES: Record<string, string> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

export interface PageOptions {
  readonly files: Record<string, Served>;
  readonly headers?: Record<string, string>;
  readonly seconds: number;
}

/** What a page at `path` reports, by a POST to `/report`: the same way for every browser, and for workers. */
export async function reportOf(
  browse: Browse,
  path: string,
  { files, headers, seconds }: PageOptions,
): Promise<string> {
  let report: (text: string) => void;
  const reported = new Promise<string>((resolve) => {
    report = resolve;
  });
  const server = createServer(async (request, response) => {
    const name = (request.url ?? '').replace(/\?.*/, '');
    if (request.method === 'POST') {
      let text = '';
      for await (const part of request) text += part;
      response.end();
      report(text);
      return;
    }
    const entry = files[name];
    if (!entry) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'text/html', ...headers });
    response.end('text' in entry ? entry.text : readFileSync(entry.file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let close: (() => Promise<void>) | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    close = await browse(`http://localhost:${(server.address() as AddressInfo).port}${path}`);
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no report within ${seconds} s`)), seconds * 1000);
    });
    return await Promise.race([reported, late]);
  } finally {
    clearTimeout(timer);
    await close?.();
    server.closeAllConnections();
    server.close();
  }
}
