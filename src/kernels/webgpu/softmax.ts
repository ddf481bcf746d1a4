import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import type { Kernels } from '../../ops/contracts';
import type { WebGPUBackend } from './backend';
import { mapRows, type RowMap, type RowReduction, reduceRows } from './rows';

type WebGPU = Kernels<WebGPUBackend>;
type Shaders = Pick<RowReduction, 'key' | 'coefficient'> & Pick<RowMap, 'prepare' | 'value'>;

export const logSoftmax: WebGPU['LogSoftmaxDim'] = (inputs, { dim }, backend) =>
  alongDim(backend, inputs, dim, {
    key: 'LogSoftmax',
    prepare: 'let max = record[row].x; let logSum = logOfSum(record[row].y);',
    value: 'f32(x[at]) - max - logSum',
  });

export const logSoftmaxGrad: WebGPU['LogSoftmaxDimGrad'] = (inputs, { dim }, backend) =>
  alongDim(backend, inputs, dim, {
    key: 'LogSoftmaxGrad',
    coefficient: 'f32(dy[at])',
    prepare: 'let max = record[row].x; let scale = record[row].w / record[row].y;',
    value: 'f32(dy[at]) - scale * expBelow(max, f32(x[at]))',
  });

export const softmax: WebGPU['SoftmaxDim'] = (inputs, { dim }, backend) =>
  alongDim(backend, inputs, dim, {
    key: 'Softmax',
    prepare: 'let max = record[row].x; let sum = record[row].y;',
    value: 'expBelow(max, f32(x[at])) / sum',
  });

export const softmaxGrad: WebGPU['SoftmaxDimGrad'] = ({ dy, y }, { dim }, backend) =>
  alongDim(backend, { dy, x: y }, dim, {
    key: 'SoftmaxGrad',
    coefficient: 'f32(dy[at]) * f32(x[at])',
    prepare: 'let mean = record[row].w;',
    value: 'f32(x[at]) * (f32(dy[at]) - mean)',
  });

/** Reduces the rows of `x`, then maps them. */
function alongDim(
  backend: WebGPUBackend,
  inputs: Record<'x', TensorInfo> & Record<string, TensorInfo>,
  dim: number,
  shaders: Shaders,
): TensorInfo {
  const { shape } = inputs.x;
  const shader = { ...shaders, view: classView(shape, dim), inputs };
  const record = reduceRows(backend, { ...shader, finish: KEEP_STATE });
  const result = mapRows(backend, { ...shader, record, outputShape: shape });
  backend.disposeData(record.dataId);
  return result;
}

const KEEP_STATE = /* wgsl */ `
fn finish(row: i32, state: vec4<f32>) -> vec4<f32> {
  return state;
}
`;
