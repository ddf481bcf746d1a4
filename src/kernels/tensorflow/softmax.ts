import { reshape, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { classView } from '../../contract/class-view';
import { consume } from '../../contract/consume';
import type { Kernels } from '../../contract/kernels';
import { runNative, type TensorflowBackend } from './backend';

type Native = Kernels<TensorflowBackend>;

export const logSoftmax = ofRows('LogSoftmax');

export const softmax = ofRows('Softmax');

/** One of TensorFlow's own, which know the last dimension only. */
function ofRows(name: 'LogSoftmax' | 'Softmax'): Native['SoftmaxDim'] {
  return (inputs, { dim }, backend) => {
    const x = inputs.x as Tensor;
    const { outer, classes } = classView(x.shape, dim);
    return tidy(() => {
      const result = consume(reshape(x, [outer, classes]), (rows) => runNative(backend, name, [rows]));
      return consume(result, (result) => reshape(result, x.shape));
    });
  };
}
