import { setBackend } from '@tensorflow/tfjs';
import { provideWebGPU } from '../test/support/dawn';

/** Loads the packages that bring the backends of Node; an error says why one is not there. */
const PACKAGES: Record<string, () => Promise<unknown>> = {
  cpu: async () => {},
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  tensorflow: () => import('@tensorflow/tfjs-node'),
  webgpu: async () => {
    await provideWebGPU();
    await import('@tensorflow/tfjs-backend-webgpu');
  },
};

export async function startBackend(name: string): Promise<void> {
  await PACKAGES[name]();
  if (!(await setBackend(name))) throw new Error(`the ${name} backend does not start`);
}
