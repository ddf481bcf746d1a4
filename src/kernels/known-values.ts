import { engine, env, type Tensor, type TensorInfo, tensor } from '@tensorflow/tfjs-core';
import { isWebGL, isWebGPU } from './gpu/is-gpu';
import type { Values } from './host/host';
import { weighLabels } from './host/labels';

/** What GPU backends keep of a tensor on the host; WebGL's until it is uploaded. */
interface Stored {
  readonly texData?: { get(dataId: object): { readonly values?: Values | null } };
  readonly tensorMap?: { get(dataId: object): { readonly values?: Values | null } };
}

const isGpu = (backend: object) => isWebGL(backend) || isWebGPU(backend);

/** A tensor's elements, unless finding them out would wait for a GPU. */
export function knownValues({ dataId }: TensorInfo): Values | undefined {
  const { backend } = engine().state.tensorInfo.get(dataId)!;
  if (!isGpu(backend)) return backend.readSync(dataId) as Values;
  const { texData, tensorMap } = backend as Stored;
  return (texData ?? tensorMap)?.get(dataId).values ?? undefined;
}

/** Throws if a label is no class, where that is known. */
export function checkLabels(target: TensorInfo, classes: number, ignoreIndex: number): void {
  const labels = knownValues(target);
  if (labels) weighLabels(labels, undefined, classes, ignoreIndex);
}

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

/** Class indices for TensorFlow.js's own ops: on WebGL those leave the originals as floats, with gaps beyond 2^24. */
export function labelsForOps(target: Tensor): Tensor {
  const values = target.dtype === 'int32' && knownValues(target);
  return values ? tensor(values, target.shape, 'int32') : target;
}
