import type { Kernels } from '../../ops/contracts';
import { quads, type WebGLBackend } from './backend';
import { lossOutputs } from './reduce';
import { Rows } from './rows';
import { smoothing, weights, withLabels } from './targets';
import { probabilityTerms, withIndexTerms } from './terms';

type WebGL = Kernels<WebGLBackend>;

export const crossEntropyLoss: WebGL['CrossEntropyLoss'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs;
  const rows = new Rows(backend, input.shape, attrs.dim);
  const parts = [weights(weight), smoothing(attrs)];
  const smooth = attrs.labelSmoothing > 0;
  const record =
    target.dtype === 'int32'
      ? withLabels(backend, target, attrs, (labels) =>
          rows.reduce({ x: input }, { softmax: true, addends: smooth }, ...parts, labels, { code: INDEX }),
        )
      : rows.reduce({ x: input, target }, { softmax: true, addends: true }, ...parts, { code: PROBABILITY });
  return lossOutputs(backend, record, inputs, attrs);
};

export const crossEntropyLossGrad: WebGL['CrossEntropyLossGrad'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs;
  const rows = new Rows(backend, input.shape, attrs.dim);
  const parts = [weights(weight), smoothing(attrs)];
  if (target.dtype === 'int32') {
    const code = attrs.labelSmoothing > 0 ? SMOOTHED_INDEX_GRAD : INDEX_GRAD;
    return withIndexTerms(rows, inputs, attrs, (terms) => rows.map({ x: input }, ...parts, terms, { code }));
  }
  const terms = probabilityTerms(rows, inputs, attrs);
  const part = { inputs: { terms: quads(terms) }, code: PROBABILITY_GRAD };
  const gradient = rows.map({ x: input, target }, ...parts, part);
  backend.disposeIntermediateTensorInfo(terms);
  return gradient;
};

/** Of the smoothing, or of the whole target: -log p[c] is `logSum - (x[c] - max)`, a coefficient times that. */
const INDEX = `
  void addends(Lane classes, Lane x, out Lane first, out Lane second) {
    second = ON_EACH * weightsOf(classes);
    first = times(second, x);
  }

  vec4 recordOf(int row) {
    float label = labelOf(row);
    if (isIgnored(label)) return vec4(0., SUM_SCALE, 0., 0.);
    int c = int(label);
    float w = weightOf(label);
    float logSum = logOf(sumExp);
    // In this order: exact for a row whose loss is almost 0.
    float minusLogP = maximum - ofClass(xTexel(texelOfClass(c)), c) + logSum;
    float loss = times(ON_LABEL * w, minusLogP) + (times(sums.y, logSum) - sums.x);
    return vec4(maximum, sumExp * SUM_SCALE, loss, w);
  }`;

const PROBABILITY = `
  void addends(Lane classes, Lane x, Lane target, out Lane first, out Lane second) {
    second = (target * ON_LABEL + ON_EACH) * weightsOf(classes);
    first = times(second, x);
  }

  vec4 recordOf(int row) {
    return vec4(maximum, sumExp * SUM_SCALE, times(sums.y, logOf(sumExp)) - sums.x, sums.y);
  }`;

const INDEX_GRAD = `
  Lane laneAt(int row, Lane classes, Lane x) {
    vec4 terms = termsTexel(row);
    return terms.y * expOf(x - terms.x) - only(classes, labelAt(row, terms), terms.z);
  }`;

const SMOOTHED_INDEX_GRAD = `
  Lane laneAt(int row, Lane classes, Lane x) {
    vec4 terms = termsTexel(row);
    Lane all = terms.y * expOf(x - terms.x) - times(Lane(terms.w), weightsOf(classes));
    return all - only(classes, labelAt(row, terms), terms.z);
  }`;

const PROBABILITY_GRAD = `
  Lane laneAt(int row, Lane classes, Lane x, Lane target) {
    vec4 terms = termsTexel(row);
    Lane qw = (target * ON_LABEL + ON_EACH) * weightsOf(classes);
    return terms.y * expOf(x - terms.x) - terms.z * qw;
  }`;
