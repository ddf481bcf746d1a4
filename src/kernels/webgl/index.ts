import { env } from '@tensorflow/tfjs-core';
import { gpuKernels } from '../gpu/kernels';
import { orComposite } from '../or-composite';
import { webgl } from './device';

/** Fused kernels as WebGL 2 shaders. */
export const webglKernels = orComposite(gpuKernels(webgl), () => env().getNumber('WEBGL_VERSION') === 2);
