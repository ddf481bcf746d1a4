import { type SuiteName, suites } from './suites';
import type { Api } from './support/api';
import { describeWith } from './support/backends';
import { bundleForNode, startProcess } from './support/child';

/** What has to do with kernels' results. npm's `webgpu` is the WebGPU of Chromium, where all suites run. */
const SUITES: SuiteName[] = ['golden', 'deviations', 'edges', 'upstream', 'stats', 'api', 'graph'];

describeWith('DAWN')('in Node, by Dawn', () => {
  const backend = 'webgpu';
  let dawn: ReturnType<typeof startProcess>;
  const call = <Name extends keyof Api>(name: Name, ...args: Parameters<Api[Name]>) => dawn.call(name, args);

  beforeAll(async () => {
    const script = bundleForNode('test/dawn/process.ts', 'output/dawn.cjs');
    dawn = startProcess(script, { ...process.env, ...JSON.parse(process.env.DAWN!) });
    expect(await call('useBackend', backend)).toBe(backend);
  }, 120_000);

  afterAll(() => dawn?.close());

  describe(backend, () => {
    describe.each(SUITES)('%s', (suite) => {
      for (const { name } of suites[suite](backend)) {
        test(name, async () => {
          const failure = await call('run', suite, name);
          if (failure !== null) throw new Error(failure as string);
        }, 180_000);
      }
    });
  });
});
