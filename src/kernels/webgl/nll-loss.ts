import type { Kernels, LossAttrs, LossGradInputs } from '../../ops/contracts';
import { flat, type Part, quads, scalar, type WebGLBackend } from './backend';
import { lossOutputs } from './reduce';
import { Rows } from './rows';
import { weights, withLabels } from './targets';

type WebGL = Kernels<WebGLBackend>;

export const nllLoss: WebGL['NLLLoss'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs;
  const rows = new Rows(backend, input.shape, attrs.dim);
  const code = `
    vec4 recordOf(int row) {
      float label = labelOf(row);
      if (isIgnored(label)) return vec4(0., SUM_SCALE, 0., 0.);
      float w = weightOf(label);
      float x = ofClass(laneOf(xTexel(texelOfClass(int(label)))), int(label));
      return vec4(0., SUM_SCALE, -times(w, x), w);
    }`;
  const record = withLabels(backend, target, attrs, (labels) =>
    rows.each({ x: input }, labels, weights(weight), { code }),
  );
  return lossOutputs(backend, record, inputs, attrs);
};

export const nllLossGrad: WebGL['NLLLossGrad'] = (inputs, attrs, backend) => {
  const { input, target } = inputs;
  const rows = new Rows(backend, input.shape, attrs.dim);
  const code = `
    Lane laneAt(int row, Lane classes) {
      float label = labelOf(row);
      if (isIgnored(label)) return Lane(0.);
      return only(classes, label, -upstreamOf(row) * recordTexel(row).w);
    }`;
  return withLabels(backend, target, attrs, (labels) =>
    rows.map({}, labels, ...upstream(backend, inputs, attrs), { code }),
  );
};

/** `float upstreamOf(int row)`, the upstream gradient over the divisor, and the record. */
export function upstream(
  backend: WebGLBackend,
  { dy, record, divisor }: LossGradInputs,
  { reduction }: LossAttrs,
): Part[] {
  const perRow = reduction === 'none';
  return [
    { inputs: { record: quads(record) } },
    perRow ? { inputs: { dy: flat(dy) } } : scalar(backend, 'dy', dy),
    scalar(backend, 'divisor', divisor),
    { code: `float upstreamOf(int row) { return quotient(dyValue(${perRow ? 'row' : '0'}), divisorValue(0)); }` },
  ];
}
