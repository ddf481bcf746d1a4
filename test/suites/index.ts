import type { Check } from '../support/check';
import { goldenSuite } from './golden';
import { graphSuite } from './graph';
import { layersSuite } from './layers';
import { trainingSuite } from './training';

/** Everything that must hold on every backend, in Node and in a page. */
export const suites = {
  golden: goldenSuite,
  graph: graphSuite,
  layers: layersSuite,
  training: trainingSuite,
} satisfies Record<string, (backend: string) => Check[]>;

export type SuiteName = keyof typeof suites;
export const suiteNames = Object.keys(suites) as SuiteName[];
