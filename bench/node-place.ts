import { setBackend } from '@tensorflow/tfjs';
import { provideWebGPU } from '../test/support/dawn';
import { serveParent } from '../test/support/serve-parent';
import { JAX, JS_PYTORCH } from './contender';
import { freshArrayContender } from './fresh-array';
import { type JaxDevice, jaxContender } from './jax';
import { jsPytorchContender } from './js-pytorch';
import { createPlace } from './place';
import { tfjsContenders } from './tfjs';

/** Loads the packages that bring the backends; an error says why one is not there. */
const PACKAGES: Record<string, () => Promise<unknown>> = {
  cpu: async () => {},
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  tensorflow: () => import('@tensorflow/tfjs-node'),
  webgpu: async () => {
    await provideWebGPU();
    await import('@tensorflow/tfjs-backend-webgpu');
  },
};

serveParent(
  createPlace(async (backend, peer) => {
    if (peer === JS_PYTORCH) return async (problem) => [await jsPytorchContender(problem)];
    if (peer === JAX) return async (problem) => [await jaxContender(problem, backend as JaxDevice)];
    await PACKAGES[backend]();
    if (!(await setBackend(backend))) throw new Error(`the ${backend} backend does not start`);
    return (problem) => [
      ...tfjsContenders(problem),
      ...(backend === 'cpu' ? [freshArrayContender(problem)] : []), // the limit of a loss there, beside wasm's time
    ];
  }),
);
