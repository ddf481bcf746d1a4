import type { Check } from '../support/check';
import { goldenSuite } from './golden';
import { webgpuSuite } from './webgpu';

/** Everything that must hold on every backend, in Node and in a page. */
export const suites = {
  golden: goldenSuite,
  webgpu: webgpuSuite,
} satisfies Record<string, (backend: string) => Check[]>;

export type SuiteName = keyof typeof suites;
export const suiteNames = Object.keys(suites) as SuiteName[];
