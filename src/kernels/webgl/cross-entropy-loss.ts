import { sum, type Tensor, type TensorInfo, tidy } from '@tensorflow/tfjs-core';
import type { Kernels, LossAttrs } from '../../ops/contracts';
import { type Part, scalar, type WebGLBackend } from './backend';
import { upstream } from './nll-loss';
import { lossOutputs } from './reduce';
import { Rows } from './rows';
import { weights, withLabels } from './targets';

type WebGL = Kernels<WebGLBackend>;

export const crossEntropyLoss: WebGL['CrossEntropyLoss'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs;
  const rows = new Rows(backend, input.shape, attrs.dim);
  const terms = [weights(weight), smoothing(attrs)];
  const along = { softmax: true, addends: attrs.labelSmoothing > 0 };
  const record =
    target.dtype === 'int32'
      ? withLabels(backend, target, attrs, (labels) =>
          rows.reduce({ x: input }, along, ...terms, labels, { code: INDEX }),
        )
      : rows.reduce({ x: input, target }, { softmax: true, addends: true }, ...terms, { code: PROBABILITY });
  return lossOutputs(backend, record, inputs, attrs);
};

export const crossEntropyLossGrad: WebGL['CrossEntropyLossGrad'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs;
  const rows = new Rows(backend, input.shape, attrs.dim);
  const terms = [weights(weight), smoothing(attrs), ...upstream(backend, inputs, attrs)];
  if (target.dtype !== 'int32') return rows.map({ x: input, target }, ...terms, { code: PROBABILITY_GRAD });
  const smoothed = attrs.labelSmoothing > 0;
  return withLabels(backend, target, attrs, (labels) =>
    withWeightSum(backend, smoothed ? weight : undefined, (weightSum) =>
      rows.map({ x: input }, ...terms, labels, weightSum, { code: smoothed ? SMOOTHED_INDEX_GRAD : INDEX_GRAD }),
    ),
  );
};

/** `onLabel`, the share of the label, and `onEach`, that of every class. */
function smoothing({ labelSmoothing }: LossAttrs): Part {
  return {
    uniforms: { labelSmoothing: ['float', labelSmoothing] },
    code: `
      #define ON_LABEL (1. - labelSmoothing)
      #define ON_EACH (labelSmoothing / float(CLASSES))`,
  };
}

/** `float weightSumValue(int)`: the sum of the class weights, where smoothing needs it. */
function withWeightSum(
  backend: WebGLBackend,
  weight: TensorInfo | undefined,
  use: (part: Part) => TensorInfo,
): TensorInfo {
  if (!weight) return use({});
  if (weight.shape[0] === 0) return use({ code: 'float weightSumValue(int i) { return float(CLASSES); }' });
  return tidy(() => use(scalar(backend, 'weightSum', sum(weight as Tensor))) as Tensor);
}

/** -log p is (maximum - x) + logSum, in this order: exact for a row whose loss is almost 0. */
const INDEX = `
  void addends(int row, Lane classes, Lane x, out Lane first, out Lane second) {
    second = ON_EACH * weightsOf(classes);
    first = times(second, x);
  }

  vec4 recordOf(int row) {
    float label = labelOf(row);
    if (isIgnored(label)) return vec4(0., SUM_SCALE, 0., 0.);
    float w = weightOf(label);
    float logSum = logOf(sumExp);
    float x = ofClass(laneOf(xTexel(texelOfClass(int(label)))), int(label));
    float loss = times(ON_LABEL * w, maximum - x + logSum) + (times(sums.y, logSum) - sums.x);
    return vec4(maximum, sumExp * SUM_SCALE, loss, w);
  }`;

const PROBABILITY = `
  void addends(int row, Lane classes, Lane x, Lane target, out Lane first, out Lane second) {
    second = (target * ON_LABEL + ON_EACH) * weightsOf(classes);
    first = times(second, x);
  }

  vec4 recordOf(int row) {
    return vec4(maximum, sumExp * SUM_SCALE, times(sums.y, logOf(sumExp)) - sums.x, sums.y);
  }`;

const INDEX_GRAD = `
  Lane laneAt(int row, Lane classes, Lane x) {
    float label = labelOf(row);
    if (isIgnored(label)) return Lane(0.);
    vec4 record = recordTexel(row);
    float atLabel = upstreamOf(row) * ON_LABEL * record.w;
    return atLabel / (record.y / SUM_SCALE) * expOf(x - record.x) - only(classes, label, atLabel);
  }`;

const SMOOTHED_INDEX_GRAD = `
  Lane laneAt(int row, Lane classes, Lane x) {
    float label = labelOf(row);
    if (isIgnored(label)) return Lane(0.);
    vec4 record = recordTexel(row);
    float k = upstreamOf(row);
    float atLabel = k * ON_LABEL * record.w;
    float mass = atLabel + k * ON_EACH * weightSumValue(0);
    Lane p = expOf(x - record.x) / (record.y / SUM_SCALE);
    return mass * p - k * ON_EACH * weightsOf(classes) - only(classes, label, atLabel);
  }`;

const PROBABILITY_GRAD = `
  Lane laneAt(int row, Lane classes, Lane x, Lane target) {
    vec4 record = recordTexel(row);
    float k = upstreamOf(row);
    Lane qw = (target * ON_LABEL + ON_EACH) * weightsOf(classes);
    return k * record.w / (record.y / SUM_SCALE) * expOf(x - record.x) - k * qw;
  }`;
