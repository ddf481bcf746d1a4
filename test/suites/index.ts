import type { Check } from '../support/check';
import { accuracySuite } from './accuracy';
import { acrossSuite } from './across';
import { apiSuite } from './api';
import { derivativesSuite } from './derivatives';
import { deviationSuite } from './deviations';
import { edgeSuite } from './edges';
import { fuzzSuite } from './fuzz-cases';
import { goldenSuite } from './golden';
import { graphSuite } from './graph';
import { layersSuite } from './layers';
import { linearSuite } from './linear';
import { propertySuite } from './properties';
import { rowKernelsSuite } from './row-kernels';
import { softmaxEndedSuite } from './softmax-ended';
import { statsSuite } from './stats';
import { trainingSuite } from './training';
import { upstreamSuite } from './upstream';
import { webglSuite } from './webgl';
import { webgpuSuite } from './webgpu';

/** Everything that must hold on every backend, in Node and in a page. */
export const suites = {
  golden: goldenSuite,
  derivatives: derivativesSuite,
  deviations: deviationSuite,
  properties: propertySuite,
  accuracy: accuracySuite,
  edges: edgeSuite,
  upstream: upstreamSuite,
  across: acrossSuite,
  api: apiSuite,
  stats: statsSuite,
  'fuzz cases': fuzzSuite,
  'row kernels': rowKernelsSuite,
  graph: graphSuite,
  linear: linearSuite,
  layers: layersSuite,
  'softmax-ended models': softmaxEndedSuite,
  training: trainingSuite,
  webgl: webglSuite,
  webgpu: webgpuSuite,
} satisfies Record<string, (backend: string) => Check[]>;

export type SuiteName = keyof typeof suites;
export const suiteNames = Object.keys(suites) as SuiteName[];
