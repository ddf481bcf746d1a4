import type { Kernels } from '../../ops/contracts';
import type { WebGLBackend } from './backend';
import { lossOutputs } from './reduce';
import { Rows } from './rows';
import { weights, withLabels } from './targets';
import { withIndexTerms } from './terms';

type WebGL = Kernels<WebGLBackend>;

export const nllLoss: WebGL['NLLLoss'] = (inputs, attrs, backend) => {
  const { input, target, weight } = inputs;
  const rows = new Rows(backend, input.shape, attrs.dim);
  const code = `
    vec4 recordOf(int row) {
      float label = labelOf(row);
      if (isIgnored(label)) return vec4(0., SUM_SCALE, 0., 0.);
      float w = weightOf(label);
      int c = int(label);
      return vec4(0., SUM_SCALE, -times(w, ofClass(xTexel(texelOfClass(c)), c)), w);
    }`;
  const record = withLabels(backend, target, attrs, (labels) =>
    rows.each({ x: input }, labels, weights(weight), { code }),
  );
  return lossOutputs(backend, record, inputs, attrs);
};

export const nllLossGrad: WebGL['NLLLossGrad'] = (inputs, attrs, backend) => {
  const rows = new Rows(backend, inputs.input.shape, attrs.dim);
  const code = `
    Lane laneAt(int row, Lane classes) {
      vec4 terms = termsTexel(row);
      return -only(classes, labelAt(row, terms), terms.z);
    }`;
  return withIndexTerms(rows, inputs, attrs, (terms) => rows.map({}, terms, { code }));
};
