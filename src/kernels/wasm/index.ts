import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import { hostKernels } from '../host';
import type { Host, Values } from '../host/host';
import { ownPage } from '../host/own-page';
import { type HeapModule, heapPage } from './heap-page';

/** What we use of TensorFlow.js's `wasm` backend. */
interface WasmBackend {
  readonly wasm: HeapModule;
  readonly dataIdMap: { get(dataId: DataId): { readonly memoryOffset: number } };
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Values;
  disposeData(dataId: DataId): boolean;
}

/** Works on the backend's own heap: nothing is copied. */
const wasm: Host<WasmBackend> = (backend, inputs, shapes, compute) => {
  for (const { dataId } of inputs) backend.dataIdMap.get(dataId); // fetches the data if another backend has it
  const outputs = shapes.map((shape) => backend.makeOutput([...shape], 'float32'));
  const page = heapPage(backend.wasm) ?? ownPage();
  // Not before now: making a tensor may grow the memory, and that detaches all views of it.
  const view = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor);
  try {
    compute(page, inputs.map(view), outputs.map(view));
    return outputs;
  } catch (error) {
    for (const { dataId } of outputs) backend.disposeData(dataId);
    throw error;
  }
};

export const wasmKernels = hostKernels(wasm);
