import { setBackend } from '@tensorflow/tfjs';
import type { Contender } from './contender';
import { jsPytorchContender } from './js-pytorch';
import { type Budget, measure, type Result } from './measure';
import { makeProblem, solve } from './problem';
import type { PyTorch } from './pytorch';
import { tfjsContenders } from './tfjs';

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
  return {
    async measure(shape: readonly number[], budget: Budget): Promise<Result[]> {
      const problem = makeProblem(shape);
      const others = [pytorch?.contender(problem), backend === 'cpu' ? jsPytorchContender(problem) : null];
      const contenders = [...tfjsContenders(problem), ...(await Promise.all(others))].filter((c) => c != null);
      const results = await measure(contenders as Contender[], solve(problem), budget);
      for (const contender of contenders) contender.dispose?.();
      return results;
    },
    close: async () => {},
  };
}
