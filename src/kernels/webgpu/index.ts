import { gpuKernels } from '../gpu/kernels';
import { orComposite } from '../or-composite';
import { webgpu } from './device';

/** Fused kernels in WGSL: one dispatch reads the rows and writes their gradient. */
export const webgpuKernels = orComposite(gpuKernels(webgpu));
