import { setBackend } from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import { type Budget, measure, type Result } from './measure';
import { makeProblem, solve } from './problem';
import { tfjsContenders } from './tfjs';

/** What the benchmark calls in the page. */
const bench = {
  async open(backend: string): Promise<boolean> {
    setWasmPaths('/');
    return setBackend(backend);
  },

  async measure(shape: readonly number[], budget: Budget): Promise<Result[]> {
    const problem = makeProblem(shape);
    const contenders = tfjsContenders(problem);
    const results = await measure(contenders, solve(problem), budget);
    for (const contender of contenders) contender.dispose?.();
    return results;
  },
};

export type PageBench = typeof bench;
Object.assign(globalThis, { bench });
