import type { Kernels } from '../../ops/contracts';
import type { WebGPUBackend } from './backend';
import { finishLabel, IGNORED, lossGradShader, lossShader, UPSTREAM } from './labels';
import { reduceLosses } from './reduce';
import { mapRows, recordRows } from './rows';

type WebGPU = Kernels<WebGPUBackend>;

export const nllLoss: WebGPU['NLLLoss'] = (inputs, attrs, backend) => {
  const { weight } = inputs;
  const record = recordRows(backend, {
    ...lossShader(inputs, attrs),
    key: `NLLLoss ${weight.shape[0] > 0}`,
    finish: finishLabel(
      weight,
      `let loss = times(w, -f32(x[at]));
  sums += vec4<f32>(loss, 0.0, 0.0, w);
  return vec4<f32>(0.0, 1.0, loss, w);`,
    ),
  });
  return reduceLosses(backend, record, inputs, attrs);
};

export const nllLossGrad: WebGPU['NLLLossGrad'] = (inputs, attrs, backend) =>
  mapRows(backend, {
    ...lossGradShader(inputs, attrs),
    key: 'NLLLossGrad',
    zero: IGNORED,
    prepare: `let label = labels[row];
    let atLabel = -${UPSTREAM} * record[row].w;`,
    value: 'select(0.0, atLabel, c == label)',
  });
