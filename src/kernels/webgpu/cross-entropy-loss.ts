import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Kernels, LossAttrs, LossInputs } from '../../ops/contracts';
import type { WebGPUBackend } from './backend';
import { finishLabel, IGNORED, lossGradShader, lossShader, UPSTREAM, weightOf } from './labels';
import { reduceLosses } from './reduce';
import { mapRows, type RowMap, type RowReduction, reduceRows } from './rows';

type WebGPU = Kernels<WebGPUBackend>;

export const crossEntropyLoss: WebGPU['CrossEntropyLoss'] = (inputs, attrs, backend) => {
  const { key, loss } = variantOf(inputs, attrs);
  const record = reduceRows(backend, { ...lossShader(inputs, attrs), key: `CrossEntropyLoss ${key}`, ...loss });
  return reduceLosses(backend, record, inputs, attrs);
};

export const crossEntropyLossGrad: WebGPU['CrossEntropyLossGrad'] = (inputs, attrs, backend) => {
  const { key, grad } = variantOf(inputs, attrs);
  return mapRows(backend, { ...lossGradShader(inputs, attrs), key: `CrossEntropyLossGrad ${key}`, ...grad });
};

interface Variant {
  readonly key: string;
  readonly loss: Pick<RowReduction, 'coefficient' | 'skipped' | 'finish'>;
  readonly grad: Pick<RowMap, 'zero' | 'prepare' | 'value'>;
}

function variantOf({ target, weight }: LossInputs, { labelSmoothing }: LossAttrs): Variant {
  const weighted = weight.shape[0] > 0;
  if (target.dtype !== 'int32') return { key: `probabilities ${weighted}`, ...byProbabilities(weight) };
  if (labelSmoothing > 0) return { key: `smoothed labels ${weighted}`, ...bySmoothedLabels(weight) };
  return { key: `labels ${weighted}`, ...byLabels(weight) };
}

const byLabels = (weight: TensorInfo) => ({
  loss: { skipped: IGNORED, finish: finishLabel(weight, LABEL_LOSS) },
  grad: { zero: IGNORED, prepare: `${AT_LABEL} ${softmaxOf('atLabel')}`, value: `${SOFTMAX} - ${ONLY_AT_LABEL}` },
});

const bySmoothedLabels = (weight: TensorInfo) => ({
  loss: { coefficient: weightOf(weight, 'c'), finish: finishLabel(weight, LABEL_LOSS) },
  grad: {
    zero: IGNORED,
    prepare: `${AT_LABEL}
    let each = k * (uniforms.labelSmoothing / f32(uniforms.classes));
    ${softmaxOf(`atLabel + each * ${weight.shape[0] > 0 ? 'record[uniforms.rows].z' : 'f32(uniforms.classes)'}`)}`,
    value: `${SOFTMAX} - each * ${weightOf(weight, 'c')} - ${ONLY_AT_LABEL}`,
  },
});

const byProbabilities = (weight: TensorInfo) => {
  const smoothed =
    '(f32(probabilities[at]) * (1.0 - uniforms.labelSmoothing) + uniforms.labelSmoothing / f32(uniforms.classes))';
  const coefficient = `${smoothed} * ${weightOf(weight, 'c')}`;
  return {
    loss: { coefficient, finish: PROBABILITIES_LOSS },
    grad: {
      prepare: `let k = ${UPSTREAM}; ${softmaxOf('k * record[row].w')}`,
      value: `${SOFTMAX} - k * ${coefficient}`,
    },
  };
};

// -logProb[c] is (max - x[c]) + logSum, in this order: exact for a row whose loss is almost 0.
const LABEL_LOSS = /* wgsl */ `
  let logSum = logOfSum(state.y);
  let e = uniforms.labelSmoothing;
  let likelihood = times((1.0 - e) * w, below(state.x, f32(x[at])) + logSum);
  let smoothing = e / f32(uniforms.classes) * (state.z + times(state.w, logSum));
  sums += vec4<f32>(likelihood, smoothing, 0.0, w);
  return vec4<f32>(state.xy, likelihood + smoothing, w);
`;

const PROBABILITIES_LOSS = /* wgsl */ `
fn finish(row: i32, state: vec4<f32>) -> vec4<f32> {
  let loss = state.z + times(state.w, logOfSum(state.y));
  sums += vec4<f32>(loss, 0.0, 0.0, 1.0);
  return vec4<f32>(state.xy, loss, state.w);
}
`;

/** Prepares `SOFTMAX`: the softmax, times the sum of what each row's log-probabilities are multiplied by. */
const softmaxOf = (mass: string) =>
  `let max = record[row].x; let scale = select((${mass}) / record[row].y, uniforms.NAN, isnan(record[row].y));`;
const SOFTMAX = 'scale * expBelow(max, f32(x[at]))';

const AT_LABEL = `let k = ${UPSTREAM};
    let label = labels[row];
    let atLabel = k * (1.0 - uniforms.labelSmoothing) * record[row].w;`;
const ONLY_AT_LABEL = 'select(0.0, atLabel, c == label)';
