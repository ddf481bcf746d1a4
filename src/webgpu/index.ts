/**
 * For its effect: fused kernels on the webgpu backend, in place of those composed of TensorFlow.js's ops.
 *
 * ```ts
 * import 'tfjs-cross-entropy/webgpu';
 * ```
 *
 * @packageDocumentation
 */
import { provideKernels } from '../kernels/register';
import { isWebGPU, webgpuKernels } from '../kernels/webgpu';

provideKernels({ backendName: 'webgpu', serves: isWebGPU, kernels: webgpuKernels });
