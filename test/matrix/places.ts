import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { aptInstall } from '../../scripts/setup/apt.mjs';
import { findChromium } from '../../scripts/setup/chromium-path.mjs';
import type { Consumer } from '../support/consumer';
import { type Browse, chromium, firefox, reportOf } from './browsers';
import type { Outcome } from './checks';
import { installed, projectWith } from './folders';
import type { PageReport } from './page';

/** One line of the table. */
export interface Trial {
  readonly place: string;
  readonly tfjs: string;
  readonly backend: string;
  readonly run: () => Promise<Outcome | Documented>;
}

/** What does not run here, and why: as docs/backends.md has it. */
export interface Documented {
  readonly documented: string;
}

/** What a place is made of cannot be had on this machine. */
export class Missing extends Error {}

const SECONDS = 900;
/** What the checks are narrowed down to. */
export const selection: { suites?: string[] } = {};
const LATEST = '4.22.0';
const VERSIONS = ['4.0.0', '4.10.0', LATEST];
/** No release of it for 4.0; its version is that of TensorFlow.js otherwise. */
const withWebgpu = (version: string) => version !== '4.0.0';

const projects = new Map<string, Consumer>();

/** The project of a version, made when it is first wanted. */
function project(version: string): Consumer {
  const made =
    projects.get(version) ??
    projectWith(
      version,
      `@tensorflow/tfjs-backend-wasm@${version}`,
      ...(withWebgpu(version) ? [`@tensorflow/tfjs-backend-webgpu@${version}`] : []),
    );
  projects.set(version, made);
  return made;
}

export function disposeProjects(): void {
  for (const made of projects.values()) made.dispose();
}

/** Programs that run a project's checks on a backend, and say in their last line what came of it. */
function runIn(command: string, args: string[], folder: string, backend: string): Promise<Outcome> {
  const packages = { wasm: '@tensorflow/tfjs-backend-wasm', tensorflow: '@tensorflow/tfjs-node' };
  const file = `${backend}.mjs`;
  writeFileSync(
    join(folder, file),
    `import '${packages[backend as keyof typeof packages] ?? '@tensorflow/tfjs'}';
${before(folder)}
import { runChecks } from './checks.mjs';
const outcome = await runChecks('${backend}', ${JSON.stringify(selection.suites)});
await new Promise((done) => process.stdout.write('\\n' + JSON.stringify(outcome) + '\\n', done));
process.exit(0);
`,
  );
  const child = spawn(command, [...args, file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), SECONDS * 1000);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return new Promise((settle, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code === 0) settle(JSON.parse(stdout.trim().split('\n').at(-1)!));
      else reject(new Error(`${command} ended with code ${code}\n${stdout}${stderr}`.slice(0, 4000)));
    });
  });
}

/** What a project wants to have run before its checks. */
const before = (folder: string) => (existsSync(join(folder, 'before.mjs')) ? "import './before.mjs';" : '');

const nodeHere = `Node ${process.versions.node}`;

const versions = (): Trial[] =>
  VERSIONS.flatMap((tfjs) => [
    ...['cpu', 'wasm'].map((backend) => ({
      place: nodeHere,
      tfjs,
      backend,
      run: () => runIn(process.execPath, [], project(tfjs).folder, backend),
    })),
    pageTrial('Chromium', inChromium, tfjs, 'webgl', {}),
    ...(withWebgpu(tfjs) ? [webgpuTrial(pageTrial('Chromium', inChromium, tfjs, 'webgpu', {}))] : []),
  ]);

/** The webgpu of 4.10 calls a function of the adapter that Chromium has removed since, whoever uses it. */
function webgpuTrial(trial: Trial): Trial {
  if (trial.tfjs === LATEST) return trial;
  const run = async () => {
    try {
      return await trial.run();
    } catch (error) {
      if (!(error as Error).message.includes('TensorFlow.js has no backend webgpu here')) throw error;
      return { documented: `TensorFlow.js ${trial.tfjs}'s webgpu does not start here: it calls requestAdapterInfo` };
    }
  };
  return { ...trial, run };
}

/** TensorFlow.js as it lies in this repository, with the native binding that the set-up has provided. */
function nativeProject(): string {
  const { folder } = project(LATEST);
  const native = join(folder, 'native');
  if (existsSync(native)) return native;
  const binding = 'node_modules/@tensorflow/tfjs-node/lib';
  if (!existsSync(binding)) throw new Missing("tfjs-node's native binding: `npm run setup` says why");
  mkdirSync(join(native, 'node_modules'), { recursive: true });
  symlinkSync(resolve('node_modules/@tensorflow'), join(native, 'node_modules/@tensorflow'));
  cpSync(join(folder, 'node_modules/tfjs-cross-entropy'), join(native, 'node_modules/tfjs-cross-entropy'), {
    recursive: true,
  });
  cpSync(join(folder, 'checks.mjs'), join(native, 'checks.mjs'));
  return native;
}

/** tfjs-node 4.22 calls a function that Node 23 has removed, whoever uses it. */
async function nativeOnNewNode(node: string): Promise<Documented> {
  const program = `import * as tf from '@tensorflow/tfjs-node'; tf.tensor1d([1]).dataSync(); tf.add(1, 2).print();`;
  const folder = nativeProject();
  writeFileSync(join(folder, 'alone.mjs'), program);
  const child = spawn(node, ['alone.mjs'], { cwd: folder });
  let said = '';
  for await (const text of child.stderr) said += text;
  if (!/isNullOrUndefined\)? is not a function/.test(said)) {
    throw new Error(`tfjs-node alone was expected to fail here, as docs/backends.md has it: ${said || 'it ran'}`);
  }
  return { documented: 'tfjs-node 4.22 itself does not run here: it calls util.isNullOrUndefined' };
}

function runtimes(): Trial[] {
  const trial = (place: string, backend: string, run: Trial['run']): Trial => ({ place, tfjs: LATEST, backend, run });
  const nodes = ['18.20.8', '20.20.2', '22.23.3', '24.21.0'].flatMap((version) => {
    const node = () => obtain(`node@${version}`);
    return [
      ...['cpu', 'wasm'].map((backend) =>
        trial(`Node ${version}`, backend, () => runIn(node(), [], project(LATEST).folder, backend)),
      ),
      trial(`Node ${version}`, 'tensorflow', () =>
        version.startsWith('24') ? nativeOnNewNode(node()) : runIn(node(), [], nativeProject(), 'tensorflow'),
      ),
    ];
  });
  const others = [
    { spec: 'bun@1.4.5', place: 'Bun 1.4.5', args: ['run'] },
    { spec: 'deno@2.9.6', place: 'Deno 2.9.6', args: ['run', '--allow-all', '--node-modules-dir=manual', '--quiet'] },
  ].flatMap(({ spec, place, args }) =>
    ['cpu', 'wasm'].map((backend) =>
      trial(place, backend, () => runIn(obtain(spec), args, project(LATEST).folder, backend)),
    ),
  );
  return [...nodes, ...others];
}

function obtain(spec: string): string {
  try {
    return installed(spec);
  } catch (error) {
    throw new Missing(`${spec} of npm: ${(error as Error).message}`);
  }
}

/** Run before the checks: the copy of the folder above, on TensorFlow.js's own tfjs-core. */
const USE_FIRST_COPY = `import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from '../node_modules/tfjs-cross-entropy/dist/index.js';
await tf.setBackend('cpu');
tf.tidy(() => {
  const gradient = tf.grad((x) => crossEntropy(x, tf.tensor1d([0], 'int32')))(tf.zeros([1, 2])).dataSync();
  if (String(gradient) !== '-0.5,0.5') throw new Error('the first copy computes ' + gradient);
});
`;

/** Second copies, in a folder of the project: of this package, of the tfjs-core that it finds, or of both. */
function copies(): Trial[] {
  const kinds = [
    { place: 'two copies of the package', copied: ['tfjs-cross-entropy'], useFirst: true },
    { place: 'a second tfjs-core', copied: ['tfjs-cross-entropy', '@tensorflow/tfjs-core'], useFirst: false },
    { place: 'two copies of both', copied: ['tfjs-cross-entropy', '@tensorflow/tfjs-core'], useFirst: true },
  ];
  return kinds.flatMap(({ place, copied, useFirst }, i) => {
    const folder = () => {
      const { folder: root } = project(LATEST);
      const own = join(root, `copies${i}`);
      if (existsSync(own)) return own;
      for (const name of copied) {
        cpSync(join(root, 'node_modules', name), join(own, 'node_modules', name), { recursive: true });
      }
      for (const file of ['checks.mjs', 'page.mjs']) cpSync(join(root, file), join(own, file));
      if (useFirst) writeFileSync(join(own, 'before.mjs'), USE_FIRST_COPY);
      return own;
    };
    return [
      ...['cpu', 'wasm'].map((backend) => ({
        place: `${nodeHere}, ${place}`,
        tfjs: LATEST,
        backend,
        run: () => runIn(process.execPath, [], folder(), backend),
      })),
      pageTrial(`Chromium, ${place}`, inChromium, LATEST, 'webgl', { folder }),
    ];
  });
}

interface PagePlace {
  readonly worker?: boolean;
  readonly headers?: Record<string, string>;
  readonly folder?: () => string;
  /** That the place is what it is said to be. */
  readonly is?: (report: PageReport) => boolean;
}

const WASM_FILES = ['', '-simd', '-threaded-simd'].map((build) => `tfjs-backend-wasm${build}.wasm`);

function pageTrial(
  place: string,
  browse: () => Promise<Browse>,
  tfjs: string,
  backend: string,
  options: PagePlace,
): Trial {
  const run = async (): Promise<Outcome> => {
    const opened = await browse();
    const { folder: root } = project(tfjs);
    const folder = options.folder?.() ?? root;
    const page = `<!doctype html><script type="module" src="/page.js"></script>`;
    const worker = `<!doctype html><script>new Worker('/page.js' + location.search, { type: 'module' })</script>`;
    const text = await reportOf(
      opened,
      `/?backend=${backend}${selection.suites ? `&suites=${selection.suites}` : ''}`,
      {
        files: {
          '/': { text: options.worker ? worker : page },
          '/page.js': { text: pageCode(folder, withWebgpu(tfjs)) },
          ...Object.fromEntries(
            WASM_FILES.map((name) => [
              `/${name}`,
              { file: join(root, 'node_modules/@tensorflow/tfjs-backend-wasm/dist', name) },
            ]),
          ),
        },
        headers: options.headers,
        seconds: SECONDS,
      },
    );
    const report: PageReport = JSON.parse(text);
    if (!report.outcome) throw new Error(report.error);
    if (report.isWorker !== (options.worker ?? false) || options.is?.(report) === false) {
      throw new Error(`this is no such place: ${text}`);
    }
    return report.outcome;
  };
  return { place, tfjs, backend, run };
}

/** Page and worker are one module, bundled from what lies in the project. */
function pageCode(folder: string, webgpu: boolean): string {
  const entry = join(folder, 'entry.mjs');
  const backends = ['backend-wasm', ...(webgpu ? ['backend-webgpu'] : [])];
  const imports = backends.map((name) => `import '@tensorflow/tfjs-${name}';`).join('\n');
  writeFileSync(entry, `import '@tensorflow/tfjs';\n${imports}\n${before(folder)}\nimport './page.mjs';\n`);
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"test"' },
  });
  return outputFiles[0].text;
}

const inChromium = async (): Promise<Browse> => {
  const path = findChromium();
  if (!path) throw new Missing('Chromium: `npm run setup` says why');
  process.env.CHROMIUM_PATH = path;
  return chromium;
};

/** As Debian and Ubuntu have it, with a virtual display for WebGL. */
const inFirefox = async (): Promise<Browse> => {
  const find = (...names: string[]) => {
    const folders = (process.env.PATH ?? '').split(delimiter);
    return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  };
  const browser = () => process.env.FIREFOX_PATH ?? find('firefox-esr', 'firefox');
  if (!browser() || !find('Xvfb')) {
    const why = await aptInstall(['firefox-esr', 'xvfb', 'libgl1-mesa-dri', 'libegl1'], () => {});
    if (!browser() || !find('Xvfb')) throw new Missing(`Firefox and Xvfb (${why.join('; ')}), or set FIREFOX_PATH`);
  }
  return firefox(browser()!);
};

const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const STRICT = { 'content-security-policy': "default-src 'self'; connect-src 'self'" };

function pages(name: string, browse: () => Promise<Browse>, backends: string[]): Trial[] {
  const trial = (kind: string, backend: string, options: PagePlace) =>
    pageTrial(`${name}${kind}`, browse, LATEST, backend, options);
  return [
    ...backends.map((backend) => trial('', backend, {})),
    ...backends.map((backend) => trial(', worker with OffscreenCanvas', backend, { worker: true })),
    trial(', isolated page: threads', 'wasm', {
      headers: ISOLATED,
      is: ({ isolated, threaded }) => isolated && !!threaded,
    }),
    trial(', no WebAssembly by CSP', 'cpu', { headers: STRICT, is: ({ wasmForbidden }) => wasmForbidden }),
  ];
}

export const groups: Record<string, () => Trial[]> = {
  tfjs: versions,
  runtimes,
  copies,
  chromium: () => pages('Chromium', inChromium, ['cpu', 'wasm', 'webgl', 'webgpu']),
  firefox: () => pages('Firefox', inFirefox, ['cpu', 'wasm', 'webgl']),
};
