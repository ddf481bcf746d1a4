import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../ops/class-view';
import type { LossAttrs, LossInputs, LossOutputs } from '../../ops/contracts';
import { run, type WebGPUBackend } from './backend';
import { THREADS } from './constants';
import { NUMBERS } from './numbers';

/** What the workgroups' sums hold: the two parts of the loss, the class weights' sum, and the divisor of the mean. */
const SUM = 'total.x + total.y';
const DIVISOR = 'total.w';
/** PyTorch divides both parts: with a divisor of 0 their sum is NaN where the sum of the parts alone is Infinity. */
const MEAN = 'quotient(total.x, total.w) + select(0.0, quotient(total.y, total.w), uniforms.labelSmoothing > 0.0)';

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
    const loss = run(backend, {
      key: 'losses',
      code: LOSSES,
      inputs: {},
      records: { record },
      ints: { rows },
      workgroups: Math.ceil(rows / THREADS),
      workgroupSize: THREADS,
      outputShape: rowShape(input.shape, dim),
    });
    return [loss, record, one()];
  }
  const total = (name: string, value: string) =>
    run(backend, {
      key: `total ${name}`,
      code: totalCode(value),
      inputs: {},
      records: { record },
      ints: { rows, records: record.shape[0] },
      floats: { labelSmoothing },
      workgroups: 1,
      workgroupSize: THREADS,
      outputShape: [],
    });
  if (reduction === 'sum') return [total('sum', SUM), record, one()];
  return [total('mean', MEAN), record, total('divisor', DIVISOR)];
}

const LOSSES = /* wgsl */ `
fn main(index: i32) {
  if (index < uniforms.rows) { result[index] = record[index].z; }
}
`;

const totalCode = (value: string) => /* wgsl */ `
${NUMBERS}
const THREADS = ${THREADS};
var<workgroup> totals: array<vec4<f32>, THREADS>;

fn main(index: i32) {
  var total = vec4<f32>();
  for (var i = uniforms.rows + index; i < uniforms.records; i += THREADS) { total += record[i]; }
  totals[index] = total;
  for (var half = THREADS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (index < half) { totals[index] += totals[index + half]; }
  }
  if (index == 0) {
    total = totals[0];
    result[0] = ${value};
  }
}
`;
