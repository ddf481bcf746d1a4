import { setBackend } from '@tensorflow/tfjs';
import { serveParent } from '../test/support/serve-parent';
import { freshArrayContender } from './fresh-array';
import { jsPytorchContender } from './js-pytorch';
import { createPlace } from './place';

import { tfjsContenders } from './tfjs';

/** Loads the packages that bring the backends; an error says why one is not there. */
const PACKAGES: Record<string, () => Promise<unknown>> = {
  cpu: async () => {},
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  tensorflow: () => import('@tensorflow/tfjs-node'),
};

serveParent(
  createPlace(async (backend) => {
    if (backend === 'js-pytorch') return async (problem) => [await jsPytorchContender(problem)];
    await PACKAGES[backend]();
    if (!(await setBackend(backend))) throw new Error(`the ${backend} backend does not start`);
    return (problem) => [
      ...tfjsContenders(problem),
      ...(backend === 'cpu' ? [freshArrayContender(problem)] : []), // the limit of a loss there, beside wasm's time
    ];
  }),
);
