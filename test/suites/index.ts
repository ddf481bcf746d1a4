import type { Check } from '../support/check';
import { accuracySuite } from './accuracy';
import { apiSuite } from './api';
import { deviationSuite } from './deviations';
import { goldenSuite } from './golden';
import { propertySuite } from './properties';
import { rowLoopsSuite } from './row-loops';

/** Everything that must hold on every backend, in Node and in a page. */
export const suites = {
  golden: goldenSuite,
  deviations: deviationSuite,
  properties: propertySuite,
  accuracy: accuracySuite,
  api: apiSuite,
  'row loops': rowLoopsSuite,
} satisfies Record<string, (backend: string) => Check[]>;

export type SuiteName = keyof typeof suites;
export const suiteNames = Object.keys(suites) as SuiteName[];
