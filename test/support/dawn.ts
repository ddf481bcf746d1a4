import { serveParent } from './serve-parent';

/** WebGPU for Node, by Dawn. To be called before TensorFlow.js's backend is imported, which looks for it once. */
export async function provideWebGPU(): Promise<void> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const navigator = { gpu: create([]), userAgent: 'node' };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
}

/** In a process that `startProcess` has started: does what the parent asks of an object, which is loaded once WebGPU is there. */
export function serveOnDawn(load: () => Promise<object>): void {
  const started = provideWebGPU()
    .then(() => import('@tensorflow/tfjs-backend-webgpu'))
    .then(load);
  // As a page, which only notes them: in debug mode TensorFlow.js reads what is gone by then.
  process.on('unhandledRejection', () => {});
  const call =
    (_: unknown, method: string) =>
    async (...args: unknown[]) =>
      ((await started) as Record<string, (...args: unknown[]) => unknown>)[method](...args);
  serveParent(new Proxy({}, { get: call }));
}
