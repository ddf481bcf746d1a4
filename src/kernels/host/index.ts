import type { Kernels } from '../../contract/kernels';
import { crossEntropyLossKernels } from './cross-entropy-loss';
import type { Host, HostBackend } from './host';
import { linearKernels } from './linear';
import { nllLossKernels } from './nll-loss';
import { softmaxKernels } from './softmax';

/** Fused kernels for a backend whose data is in this process. */
export function hostKernels<Backend extends HostBackend>(host: Host<Backend>): Kernels<Backend> {
  return { ...nllLossKernels(host), ...crossEntropyLossKernels(host), ...softmaxKernels(host), ...linearKernels(host) };
}
