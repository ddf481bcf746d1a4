import type { Check } from '../support/check';
import { goldenSuite } from './golden';
import { webglSuite } from './webgl';

/** Everything that must hold on every backend, in Node and in a page. */
export const suites = {
  golden: goldenSuite,
  webgl: webglSuite,
} satisfies Record<string, (backend: string) => Check[]>;

export type SuiteName = keyof typeof suites;
export const suiteNames = Object.keys(suites) as SuiteName[];
