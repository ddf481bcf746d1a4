import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../ops/class-view';
import type { LossAttrs, LossInputs, LossOutputs } from '../../ops/contracts';
import { run, type WebGPUBackend } from './backend';
import { THREADS } from './constants';
import { NUMBERS } from './numbers';

/** The outputs of a loss, from the records of its rows. */
export function reduceLosses(
  backend: WebGPUBackend,
  record: TensorInfo,
  { input }: LossInputs,
  { dim, reduction, labelSmoothing }: LossAttrs,
): LossOutputs {
  const { rows } = classView(input.shape, dim);
  const one = () => backend.makeTensorInfo([], 'float32', Float32Array.of(1));
  if (reduction === 'none') {
    const losses = run(backend, {
      key: 'losses',
      code: LOSSES,
      inputs: {},
      records: { record },
      ints: { rows },
      workgroups: Math.ceil(rows / THREADS),
      workgroupSize: THREADS,
      outputShape: rowShape(input.shape, dim),
    });
    return [losses, record, one()];
  }
  const total = (wanted: number) =>
    run(backend, {
      key: 'total',
      code: TOTAL,
      inputs: {},
      records: { record },
      ints: { rows, records: record.shape[0], wanted },
      floats: { labelSmoothing },
      workgroups: 1,
      workgroupSize: THREADS,
      outputShape: [],
    });
  if (reduction === 'sum') return [total(SUM), record, one()];
  return [total(MEAN), record, total(DIVISOR)];
}

const LOSSES = /* wgsl */ `
fn main(index: i32) {
  if (index < uniforms.rows) { result[index] = record[index].z; }
}
`;

const SUM = 0;
const MEAN = 1;
const DIVISOR = 2;

/**
 * Adds up what the workgroups added up: the likelihoods' and the smoothing's parts of the losses, and what their mean
 * is divided by. One shader for all that is wanted of it, since each takes its time to compile.
 */
const TOTAL = /* wgsl */ `
${NUMBERS}
var<workgroup> totals: array<vec4<f32>, ${THREADS}>;

fn main(index: i32) {
  var total = vec4<f32>();
  for (var i = uniforms.rows + index; i < uniforms.records; i += ${THREADS}) { total += record[i]; }
  totals[index] = total;
  for (var half = ${THREADS / 2}; half > 0; half /= 2) {
    workgroupBarrier();
    if (index < half) { totals[index] += totals[index + half]; }
  }
  if (index == 0) { result[0] = output(totals[0].x, totals[0].y, totals[0].w); }
}

fn output(likelihood: f32, smoothing: f32, divisor: f32) -> f32 {
  if (uniforms.wanted == ${SUM}) { return likelihood + smoothing; }
  if (uniforms.wanted == ${DIVISOR}) { return divisor; }
  // PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity.
  let mean = quotient(likelihood, divisor);
  if (uniforms.labelSmoothing > 0.0) { return mean + quotient(smoothing, divisor); }
  return mean;
}
`;
