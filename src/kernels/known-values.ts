import { engine, env, type KernelBackend, type Tensor, type TypedArray } from '@tensorflow/tfjs-core';
import { isWebGL } from './webgl';
import { isWebGPU } from './webgpu';

/** What GPU backends keep of a tensor on the host; WebGL's until it is uploaded. */
interface Stored {
  readonly texData?: { get(dataId: object): { readonly values?: TypedArray | null } };
  readonly tensorMap?: { get(dataId: object): { readonly values?: TypedArray | null } };
}

const isGpu = (backend: object) => isWebGL(backend) || isWebGPU(backend);

/** A tensor's elements, unless finding them out would wait for a GPU. */
export function knownValues({ dataId }: Tensor): TypedArray | undefined {
  const { backend } = engine().state.tensorInfo.get(dataId)!;
  if (!isGpu(backend)) return backend.readSync(dataId) as TypedArray;
  const { texData, tensorMap } = backend as Stored;
  return (texData ?? tensorMap)?.get(dataId).values ?? undefined;
}

/** Whether labels can be checked: on GPUs those that are no class give NaN, known or not. */
export const checksLabels = (backend: KernelBackend): boolean => !isGpu(backend);

/** How many elements a tensor may have on a backend. */
export function mostElements(backend: object): number {
  if (isWebGPU(backend)) {
    const { maxStorageBufferBindingSize } = (backend as WebGPU).device.limits;
    return Math.floor(maxStorageBufferBindingSize / 4);
  }
  return isWebGL(backend) ? env().getNumber('WEBGL_MAX_TEXTURE_SIZE') ** 2 : Number.POSITIVE_INFINITY;
}

interface WebGPU {
  readonly device: { readonly limits: { readonly maxStorageBufferBindingSize: number } };
}
