import { reshape, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import type { Kernels } from '../../ops/contracts';
import * as composite from '../composite/softmax';
import { runNative, type TensorflowBackend } from './backend';
import { consume } from './rows';

type Native = Kernels<TensorflowBackend>;

export const logSoftmax = ofRows('LogSoftmax', composite.logSoftmax);

export const softmax = ofRows('Softmax', composite.softmax);

/** One of TensorFlow's own, which know the last dimension only; for others what is composed of public ops. */
function ofRows(name: 'LogSoftmax' | 'Softmax', otherwise: Native['SoftmaxDim']): Native['SoftmaxDim'] {
  return (inputs, attrs, backend) => {
    const x = inputs.x as Tensor;
    const { outer, classes, inner } = classView(x.shape, attrs.dim);
    if (inner !== 1) return otherwise(inputs, attrs, backend);
    return tidy(() => {
      const result = consume(reshape(x, [outer, classes]), (rows) => runNative(backend, name, [rows]));
      return consume(result, (result) => reshape(result, x.shape));
    });
  };
}
