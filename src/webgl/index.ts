/**
 * For its effect: fused kernels on the webgl backend, in place of those composed of TensorFlow.js's ops.
 *
 * ```ts
 * import 'tfjs-cross-entropy/webgl';
 * ```
 *
 * @packageDocumentation
 */
import { provideKernels } from '../kernels/register';
import { isWebGL, webglKernels } from '../kernels/webgl';

provideKernels({ backendName: 'webgl', serves: isWebGL, kernels: webglKernels });
