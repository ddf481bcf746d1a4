import { serveParent } from '../test/support/serve-parent';
import { JAX, JS_PYTORCH } from './contender';
import { freshArrayContender } from './fresh-array';
import { type JaxDevice, jaxContender } from './jax';
import { jsPytorchContender } from './js-pytorch';
import { createPlace } from './place';
import { startBackend } from './start-backend';
import { tfjsContenders } from './tfjs';

serveParent(
  createPlace(async (backend, peer) => {
    if (peer === JS_PYTORCH) return async (problem) => [await jsPytorchContender(problem)];
    if (peer === JAX) return async (problem) => [await jaxContender(problem, backend as JaxDevice)];
    await startBackend(backend);
    return (problem) => [
      ...tfjsContenders(problem),
      ...(backend === 'cpu' ? [freshArrayContender(problem)] : []), // the limit of a loss there, beside wasm's time
    ];
  }),
);
