import type { Contender } from './contender';
import { type Budget, measure, type Result } from './measure';
import { makeProblem, type Problem, solve } from './problem';
import { tfjsContenders } from './tfjs';

type Others = (problem: Problem) => Promise<Contender[]>;

/** Measures everybody on the active backend, and others that have nothing to do with it. */
export async function measureShape(shape: readonly number[], budget: Budget, others?: Others): Promise<Result[]> {
  const problem = makeProblem(shape);
  const contenders = [...tfjsContenders(problem), ...((await others?.(problem)) ?? [])];
  const results = await measure(contenders, solve(problem), budget);
  for (const contender of contenders) contender.dispose?.();
  return results;
}
