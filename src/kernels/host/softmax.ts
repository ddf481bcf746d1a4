import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../contract/class-view';
import type { Kernels } from '../../contract/kernels';
import type { Host, Values } from './host';
import {
  CENTRED,
  DOT,
  EXPONENTIALS,
  FINISH_LOG_SOFTMAX,
  FINISH_LOG_SOFTMAX_GRAD,
  FINISH_SOFTMAX,
  FINISH_SOFTMAX_GRAD,
  KEEP,
  LOG_PROBS,
  PEAK,
  SCALED,
  SPREAD,
  START,
} from './page-layout';
import { forEachRow } from './rows';

type Softmax<Backend> = Pick<Kernels<Backend>, 'LogSoftmaxDim' | 'LogSoftmaxDimGrad' | 'SoftmaxDim' | 'SoftmaxDimGrad'>;

export function softmaxKernels<Backend>(host: Host<Backend>): Softmax<Backend> {
  /** A tensor like the first input. */
  function map(inputs: TensorInfo[], dim: number, backend: Backend, operations: number, lowest?: number): TensorInfo {
    const { shape } = inputs[0];
    const [result] = host(backend, inputs, [shape], (page, [x, q]: Values[], [out]) => {
      forEachRow(page, classView(shape, dim), { operations, x, q, out, lowest });
    });
    return result;
  }

  const maxAndSum = START | PEAK | EXPONENTIALS;
  return {
    LogSoftmaxDim: ({ x }, { dim }, backend) => map([x], dim, backend, maxAndSum | FINISH_LOG_SOFTMAX | LOG_PROBS),

    LogSoftmaxDimGrad: ({ dy, x }, { dim }, backend) =>
      map([x, dy], dim, backend, maxAndSum | KEEP | DOT | SPREAD | FINISH_LOG_SOFTMAX_GRAD | SCALED),

    SoftmaxDim: ({ x }, { dim }, backend) => map([x], dim, backend, maxAndSum | KEEP | FINISH_SOFTMAX | SCALED),

    SoftmaxDimGrad: ({ dy, y }, { dim }, backend) =>
      map([y, dy], dim, backend, START | DOT | SPREAD | FINISH_SOFTMAX_GRAD | CENTRED, 0),
  };
}
