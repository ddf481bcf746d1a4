import type { Kernels } from '../../contract/kernels';
import type { Host, HostBackend } from './host';

type Linear<Backend> = Pick<Kernels<Backend>, 'LinearLogits' | 'LinearInputGrad' | 'LinearWeightGrad'>;

export function linearKernels<Backend extends HostBackend>(host: Host<Backend>): Linear<Backend> {
  return {
    LinearLogits({ x, weight, bias }, _, backend) {
      const [rows, features] = x.shape;
      const [units] = weight.shape;
      const [logits] = host(backend, [x, weight, bias], [[rows, units]], (kernels, [x, w, bias], [g]) => {
        if (bias.length === 0) g.fill(0);
        else for (let r = 0; r < rows; r++) g.set(bias, r * units);
        kernels.addProduct('g', { x, w, g, features });
      });
      return logits;
    },

    LinearInputGrad({ gradient, weight }, _, backend) {
      const [, features] = weight.shape;
      const shapes = [[gradient.shape[0], features]];
      const [byInput] = host(backend, [gradient, weight], shapes, (kernels, [g, w], [x]) => {
        x.fill(0);
        kernels.addProduct('x', { x, w, g, features });
      });
      return byInput;
    },

    LinearWeightGrad({ sum, gradient, x }, _, backend) {
      const [, features] = x.shape;
      host(backend, [sum, gradient, x], [], (kernels, [w, g, x]) => kernels.addProduct('w', { x, w, g, features }));
      return sum;
    },
  };
}
