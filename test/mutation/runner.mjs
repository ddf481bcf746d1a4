import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { Script } from 'node:vm';
import { build } from 'esbuild';

/** How long each check takes, in the folder that Stryker works in. */
const TIMES = 'check-times.json';

/**
 * Stryker's test runner for the suites. A mutant costs what jest would take to start: the suites need no test framework,
 * so they are bundled once, with TensorFlow.js, and each mutant gets an evaluation of the bundle of its own, in which the
 * checks that reach it run, the shortest first, until one fails.
 */
class SuitesRunner {
  /** Stryker's instrumented code finds here which mutant is active, and counts what it runs through. */
  #state = {};
  #script;

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    globalThis.__stryker__ = this.#state;
    process.setMaxListeners(0); // each evaluation of the wasm backend adds some
    const { outputFiles } = await build({
      entryPoints: ['test/mutation/checks.ts'],
      absWorkingDir: process.cwd(), // else that of when esbuild was imported
      bundle: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      logLevel: 'error',
    });
    const filename = resolve('test/mutation/bundle.cjs');
    this.#script = new Script(`(function (exports, require, module, __dirname) {${outputFiles[0].text}\n})`, {
      filename,
    });
  }

  /** The checks, of modules that have not run before, and of a TensorFlow.js without a backend. */
  async #load() {
    delete globalThis._tfGlobals;
    delete globalThis._tfengine;
    const require = createRequire(resolve('package.json'));
    const module = { exports: {} };
    const wasm = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
    this.#script.runInThisContext()(module.exports, require, module, wasm);
    await module.exports.start();
    return module.exports.checks;
  }

  async dryRun() {
    this.#state.mutantCoverage = { static: {}, perTest: {} };
    const tests = [];
    for (const { name, run } of await this.#load()) {
      this.#state.currentTestId = name;
      const result = await attempt(run);
      tests.push({ id: name, name, ...result });
    }
    this.#state.currentTestId = undefined;
    // The process of another mutant reads in which order.
    writeFileSync(TIMES, JSON.stringify(Object.fromEntries(tests.map(({ id, timeSpentMs }) => [id, timeSpentMs]))));
    return { status: 'complete', tests, mutantCoverage: this.#state.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit: patience }) {
    // A hundred times the passes of all checks together is what Stryker waits for; twice as many are endless as well.
    const hitLimit = patience && patience / 50;
    Object.assign(this.#state, { activeMutant: activeMutant.id, hitLimit, hitCount: hitLimit && 0 });
    const times = JSON.parse(readFileSync(TIMES, 'utf8'));
    let nrOfTests = 0;
    const killed = (name, failureMessage) =>
      this.#state.hitCount > hitLimit
        ? { status: 'timeout', reason: 'an endless loop' }
        : { status: 'killed', killedBy: [name], failureMessage, nrOfTests };
    try {
      const reaching = (await this.#load()).filter(({ name }) => testFilter?.includes(name) ?? true);
      for (const { name, run } of reaching.sort((a, b) => times[a.name] - times[b.name])) {
        nrOfTests++;
        const { failureMessage } = await attempt(run);
        if (failureMessage) return killed(name, failureMessage);
      }
    } catch (error) {
      return killed('start', String(error));
    } finally {
      this.#state.activeMutant = undefined;
    }
    return { status: 'survived', nrOfTests };
  }
}

async function attempt(run) {
  const start = performance.now();
  const result = await Promise.resolve()
    .then(run)
    .then(
      () => ({ status: 0 }),
      (error) => ({ status: 1, failureMessage: String(error?.stack ?? error) }),
    );
  return { ...result, timeSpentMs: performance.now() - start };
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'suites', injectableClass: SuitesRunner }];
