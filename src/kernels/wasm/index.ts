import { type DataId, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { hostKernels } from '../host';
import type { Host, HostBackend, Values } from '../host/host';
import type { RowKernels } from '../host/row-kernels';
import { ownRowKernels } from '../simd/own-row-kernels';
import { simdRowKernels } from '../simd/row-kernels';
import { type Heap, heapWorkspace, outOfMemory } from '../simd/workspace';

/** What we use of TensorFlow.js's `wasm` backend. */
export interface WasmBackend extends HostBackend {
  readonly wasm: Heap & { readonly HEAPU8: Uint8Array };
  readonly dataIdMap: { get(dataId: DataId): { readonly memoryOffset: number } };
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Values;
}

/** Works on the backend's own heap: nothing is copied. */
const wasm: Host<WasmBackend> = (backend, inputs, shapes, compute) => {
  const outputs: TensorInfo[] = [];
  const view = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor);
  const heap = () => backend.wasm.HEAPU8.buffer;
  try {
    for (const shape of shapes) outputs.push(makeOutput(backend, [...shape]));
    const kernels = heapRowKernels(backend.wasm) ?? ownRowKernels();
    let buffer: ArrayBufferLike;
    do {
      // Room for the kernels to work in may make the memory grow, which detaches all views of it: then once more.
      buffer = heap();
      compute(kernels, inputs.map(view), outputs.map(view));
    } while (heap() !== buffer);
    return outputs;
  } catch (error) {
    for (const { dataId } of outputs) backend.disposeData(dataId);
    throw error;
  }
};

/** An output, which the backend would let lie at address 0 if there is no room for it. */
function makeOutput(backend: WasmBackend, shape: number[]): TensorInfo {
  const output = backend.makeOutput(shape, 'float32');
  const size = util.sizeFromShape(shape);
  if (size === 0 || backend.dataIdMap.get(output.dataId).memoryOffset) return output;
  backend.disposeData(output.dataId);
  throw outOfMemory(4 * size);
}

const byHeap = new WeakMap<Heap, RowKernels | null>();

/** Those on a backend's heap, made once; `null` where its memory is out of reach, or SIMD is missing. */
export function heapRowKernels(heap: Heap): RowKernels | null {
  if (!byHeap.has(heap)) {
    const workspace = heapWorkspace(heap);
    byHeap.set(heap, workspace && simdRowKernels(workspace));
  }
  return byHeap.get(heap)!;
}

export const wasmKernels = hostKernels(wasm);
