import * as tf from '@tensorflow/tfjs';
import { apiSuite } from '../suites/api';
import { derivativesSuite } from '../suites/derivatives';
import { deviationSuite } from '../suites/deviations';
import { edgeSuite } from '../suites/edges';
import { goldenSuite } from '../suites/golden';
import { graphSuite } from '../suites/graph';
import { layersSuite } from '../suites/layers';
import { linearSuite } from '../suites/linear';
import { softmaxEndedSuite } from '../suites/softmax-ended';
import { statsSuite } from '../suites/stats';
import { trainingSuite } from '../suites/training';
import type { Check } from '../support/check';

/** The suites of the tests that know nothing but the public API, on whatever copy of it is found in this place. */
const suites: Record<string, (backend: string) => Check[]> = {
  golden: goldenSuite,
  derivatives: derivativesSuite,
  deviations: deviationSuite,
  edges: edgeSuite,
  api: apiSuite,
  stats: statsSuite,
  linear: linearSuite,
  graph: graphSuite,
  layers: layersSuite,
  'softmax-ended models': softmaxEndedSuite,
  training: trainingSuite,
};

export interface Outcome {
  readonly backend: string;
  readonly tfjs: string;
  readonly passed: number;
  readonly failures: string[];
}

/** The checks of all suites, or of the named ones, on a backend, one after the other. */
export async function runChecks(backend: string, only?: string[]): Promise<Outcome> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  await tf.ready();
  let passed = 0;
  const failures: string[] = [];
  for (const [suite, checksOf] of Object.entries(suites)) {
    if (only && !only.includes(suite)) continue;
    for (const { name, run } of checksOf(backend)) {
      try {
        await run({ backend });
        passed++;
      } catch (error) {
        failures.push(`${suite}: ${name}: ${(error as Error)?.message ?? error}`);
      }
    }
  }
  return { backend, tfjs: tf.version_core, passed, failures };
}
