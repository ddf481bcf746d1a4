import type { TensorInfo } from '@tensorflow/tfjs-core';
import { rowShape } from '../../ops/class-view';
import type { LossAttrs, LossInputs, LossOutputs } from '../../ops/contracts';
import { fourDimensions, type Part, quads, run, runQuads, type WebGLBackend } from './backend';
import { ROWS_IN_ONE_SUM, SUM_RUN } from './constants';
import { Rows } from './rows';

/** The loss, the record and the divisor, from the record. */
export function lossOutputs(
  backend: WebGLBackend,
  record: TensorInfo,
  { input, target }: LossInputs,
  { dim, reduction, labelSmoothing }: LossAttrs,
): LossOutputs {
  const rows = record.shape[0];
  const outputs = (loss: TensorInfo, divisor: TensorInfo): LossOutputs => [loss, record, divisor];
  const constant = (value: number) => backend.makeTensorInfo([], 'float32', Float32Array.of(value));
  if (reduction === 'none') return outputs(lossOfRows(backend, record, rowShape(input.shape, dim)), constant(1));

  const { sums, count, scale } = partialSums(backend, record);
  const total = (value: string, factor: number) =>
    run(
      backend,
      [],
      { inputs: { sums: quads(sums) }, uniforms: { count: ['int', count], factor: ['float', factor] } },
      { code: `${TOTAL} void main() { vec2 sum = totalOf(0, count); setOutput(vec4(${value}, 0., 0., 0.)); }` },
    );
  const results = (): [TensorInfo, TensorInfo] => {
    if (reduction === 'sum') return [total('sum.x * factor', scale), constant(1)];
    if (target.dtype !== 'int32') return [total('sum.x * factor', scale / rows), constant(rows)];
    // PyTorch divides the likelihood and the smoothing each: 0 / 0 makes their sum NaN.
    const mean = labelSmoothing > 0 ? 'sum.y == 0. ? NAN : sum.x / sum.y' : 'quotient(sum.x, sum.y)';
    return [total(mean, 1), total('sum.y * factor', scale)];
  };
  const [loss, divisor] = results();
  if (sums !== record) backend.disposeIntermediateTensorInfo(sums);
  return outputs(loss, divisor);
}

/** Column 2 of the record in the rows' own shape: as of a tensor with one class, whose dimension comes first. */
function lossOfRows(backend: WebGLBackend, record: TensorInfo, shape: number[]): TensorInfo {
  const code = 'float laneAt(int row, float classes) { return recordTexel(row).z; }';
  const loss = new Rows(backend, fourDimensions(shape), 0).map({}, { inputs: { record: quads(record) }, code });
  return { ...loss, shape };
}

const TOTAL = `
  // Of loss and weight. In runs, whose rounding errors do not add up as those of a single one would.
  vec2 totalOf(int begin, int end) {
    vec2 total = vec2(0.);
    for (int run = begin; run < end; run += ${SUM_RUN}) {
      vec2 part = vec2(0.);
      for (int i = run; i < min(run + ${SUM_RUN}, end); i++) part += sumsTexel(i).zw;
      total += part;
    }
    return total;
  }`;

/**
 * Few enough texels that a fragment can add up their last two columns, times a power of two. Sums are kept divided by
 * the number of their terms, since half floats would overflow.
 */
function partialSums(backend: WebGLBackend, record: TensorInfo): { sums: TensorInfo; count: number; scale: number } {
  let sums = record;
  let scale = 1;
  while (sums.shape[0] > ROWS_IN_ONE_SUM) {
    const part: Part = {
      inputs: { sums: quads(sums) },
      uniforms: { count: ['int', sums.shape[0]] },
      code: `${TOTAL}
        void main() {
          int begin = outTexel() * ${ROWS_IN_ONE_SUM};
          vec2 sum = totalOf(begin, min(begin + ${ROWS_IN_ONE_SUM}, count));
          setOutput(vec4(0., 0., sum / float(${ROWS_IN_ONE_SUM})));
        }`,
    };
    const next = runQuads(backend, Math.ceil(sums.shape[0] / ROWS_IN_ONE_SUM), part);
    if (sums !== record) backend.disposeIntermediateTensorInfo(sums);
    sums = next;
    scale *= ROWS_IN_ONE_SUM;
  }
  return { sums, count: sums.shape[0], scale };
}
