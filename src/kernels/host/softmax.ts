import { classView } from '../../contract/class-view';
import type { Kernels } from '../../contract/kernels';
import type { Host, HostBackend } from './host';

type Softmax<Backend> = Pick<Kernels<Backend>, 'LogSoftmaxDim' | 'LogSoftmaxDimGrad' | 'SoftmaxDim' | 'SoftmaxDimGrad'>;

export function softmaxKernels<Backend extends HostBackend>(host: Host<Backend>): Softmax<Backend> {
  return {
    LogSoftmaxDim({ x }, { dim }, backend) {
      const view = classView(x.shape, dim);
      return host(backend, [x], [x.shape], (kernels, [x], [out]) => kernels.logSoftmax(x, view, out))[0];
    },

    LogSoftmaxDimGrad({ dy, x }, { dim }, backend) {
      const view = classView(x.shape, dim);
      return host(backend, [x, dy], [x.shape], (kernels, [x, dy], [out]) =>
        kernels.logSoftmaxGradient(x, dy, view, out),
      )[0];
    },

    SoftmaxDim({ x }, { dim }, backend) {
      const view = classView(x.shape, dim);
      return host(backend, [x], [x.shape], (kernels, [x], [out]) => kernels.softmax(x, view, out))[0];
    },

    SoftmaxDimGrad({ dy, y }, { dim }, backend) {
      const view = classView(y.shape, dim);
      return host(backend, [y, dy], [y.shape], (kernels, [y, dy], [out]) =>
        kernels.softmaxGradient(y, dy, view, out),
      )[0];
    },
  };
}
