import type { Check } from '../support/check';
import { goldenSuite } from './golden';
import { rowLoopsSuite } from './row-loops';

/** Everything that must hold on every backend, in Node and in a page. */
export const suites = {
  golden: goldenSuite,
  'row loops': rowLoopsSuite,
} satisfies Record<string, (backend: string) => Check[]>;

export type SuiteName = keyof typeof suites;
export const suiteNames = Object.keys(suites) as SuiteName[];
