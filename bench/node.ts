import { setBackend } from '@tensorflow/tfjs';
import { jsPytorchContender } from './js-pytorch';
import type { Budget } from './measure';
import { measureShape } from './measure-shape';
import type { Problem } from './problem';
import type { PyTorch } from './pytorch';

/** Loads the packages that bring the backends; an error says why one is not there. */
const PACKAGES: Record<string, () => Promise<unknown>> = {
  cpu: async () => {},
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  tensorflow: () => import('@tensorflow/tfjs-node'),
};

export const NODE_BACKENDS = Object.keys(PACKAGES);

/** Makes a backend of Node's active; what is returned measures a shape on it. */
export async function openNode(backend: string, pytorch: PyTorch | null) {
  await PACKAGES[backend]();
  if (!(await setBackend(backend))) throw new Error(`the ${backend} backend does not start`);
  const others = async (problem: Problem) => {
    const contenders = [await pytorch?.contender(problem), backend === 'cpu' && (await jsPytorchContender(problem))];
    return contenders.filter((contender) => contender instanceof Object);
  };
  return {
    measure: (shape: readonly number[], budget: Budget) => measureShape(shape, budget, others),
    close: async () => {},
  };
}
