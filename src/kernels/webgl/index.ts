import { env } from '@tensorflow/tfjs-core';
import { gpuKernels } from '../gpu/kernels';
import { orComposite } from '../or-composite';
import { webgl } from './device';

/** Fused kernels as WebGL 2 shaders. */
export const webglKernels = orComposite(gpuKernels(webgl), () => env().getNumber('WEBGL_VERSION') === 2);

/** Whether a backend is WebGL's, whatever the name that it is registered under. */
export function isWebGL(backend: object): boolean {
  return 'texData' in backend && 'compileAndRun' in backend;
}
