import { sum, type Tensor, type TensorInfo, tidy } from '@tensorflow/tfjs-core';
import type { LossAttrs, LossGradInputs } from '../../ops/contracts';
import { flat, isHalf, type Part, quads, scalar, type WebGLBackend } from './backend';
import type { Rows } from './rows';
import { smoothing, withLabels } from './targets';

/**
 * What the gradient of a row's loss is made of, a texel a row, so that the program over all logits reads one texel and
 * not the record, the label, the upstream gradient and the divisor. With `k = dy / divisor`:
 *
 * | | class indices | probabilities |
 * |---|---|---|
 * | x | `max`, Infinity for an ignored row | `max` |
 * | y | `k * mass / sum of exp(x - max)` | the same |
 * | z | `k * (1 - e) * w[t]` | `k` |
 * | w | the label; with smoothing `k * e / C` | |
 */
export function probabilityTerms(rows: Rows, inputs: LossGradInputs, attrs: LossAttrs): TensorInfo {
  const code = `
    vec4 recordOf(int row) {
      vec4 record = recordTexel(row);
      float k = upstreamOf(row);
      return vec4(record.x, k * record.w / (record.y / SUM_SCALE), k, 0.);
    }`;
  return rows.each({}, ...upstream(rows.backend, inputs, attrs), { code });
}

/**
 * The same for class indices: runs `use` with `vec4 termsTexel(int row)` and `float labelAt(int row, vec4 terms)`. Half
 * floats cannot keep a label in one number.
 */
export function withIndexTerms(
  rows: Rows,
  inputs: LossGradInputs,
  attrs: LossAttrs,
  use: (terms: Part) => TensorInfo,
): TensorInfo {
  const { backend } = rows;
  const smooth = attrs.labelSmoothing > 0;
  const labelApart = smooth || isHalf();
  const code = `
    vec4 recordOf(int row) {
      float label = labelOf(row);
      if (isIgnored(label)) return vec4(INF, 0., 0., ${labelApart ? '0.' : 'label'});
      vec4 record = recordTexel(row);
      float k = upstreamOf(row);
      float atLabel = k * ON_LABEL * record.w;
      float mass = atLabel${smooth ? ' + k * ON_EACH * weightSumValue(0)' : ''};
      return vec4(record.x, mass / (record.y / SUM_SCALE), atLabel, ${labelApart ? 'k * ON_EACH' : 'label'});
    }`;
  return withLabels(backend, inputs.target, attrs, (labels) => {
    const terms = withWeightSum(backend, smooth ? inputs.weight : undefined, (weightSum) =>
      rows.each({}, labels, smoothing(attrs), ...upstream(backend, inputs, attrs), weightSum, { code }),
    );
    const labelAt = `float labelAt(int row, vec4 terms) { return ${labelApart ? 'labelOf(row)' : 'terms.w'}; }`;
    const result = use({
      inputs: { ...(labelApart && labels.inputs), terms: quads(terms) },
      uniforms: labelApart ? labels.uniforms : {},
      code: (labelApart ? labels.code : '') + labelAt,
    });
    backend.disposeIntermediateTensorInfo(terms);
    return result;
  });
}

/** `float upstreamOf(int row)`, the upstream gradient over the divisor; and the record. */
function upstream(backend: WebGLBackend, inputs: LossGradInputs, { reduction }: LossAttrs): Part[] {
  const { dy, record, divisor } = inputs;
  const perRow = reduction === 'none';
  return [
    { inputs: { record: quads(record) } },
    perRow ? { inputs: { dy: flat(dy) } } : scalar(backend, 'dy', dy),
    scalar(backend, 'divisor', divisor),
    { code: `float upstreamOf(int row) { return quotient(dyValue(${perRow ? 'row' : '0'}), divisorValue(0)); }` },
  ];
}

/** `float weightSumValue(int)`: the sum of the class weights, which smoothing needs. */
function withWeightSum(
  backend: WebGLBackend,
  weight: TensorInfo | undefined,
  use: (weightSum: Part) => TensorInfo,
): TensorInfo {
  if (!weight) return use({});
  if (weight.shape[0] === 0) return use({ code: 'float weightSumValue(int i) { return float(CLASSES); }' });
  return tidy(() => use(scalar(backend, 'weightSum', sum(weight as Tensor))) as Tensor);
}
