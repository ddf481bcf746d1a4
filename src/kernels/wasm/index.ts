import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import { hostKernels } from '../host';
import type { Host, Values } from '../host/host';
import { ownPage } from '../host/own-page';
import { type Page, pageIn, type Run } from '../host/page';
import { SIZE } from '../host/page-layout';
import { instantiate } from '../simd/instantiate';

/** What we use of TensorFlow.js's `wasm` backend. */
interface WasmBackend {
  readonly wasm: {
    /** Emscripten's memory: of threaded builds, and of the others. */
    readonly wasmMemory?: WebAssembly.Memory;
    readonly asm?: { readonly memory?: WebAssembly.Memory };
    _malloc(bytes: number): number;
  };
  readonly dataIdMap: { get(dataId: DataId): { readonly memoryOffset: number } };
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Values;
  disposeData(dataId: DataId): boolean;
}

/** Works on the backend's own heap: nothing is copied. */
const wasm: Host<WasmBackend> = (backend, inputs, shapes, compute) => {
  for (const { dataId } of inputs) backend.dataIdMap.get(dataId); // fetches the data if another backend has it
  const outputs = shapes.map((shape) => backend.makeOutput([...shape], 'float32'));
  const page = heapPage(backend) ?? ownPage();
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

interface Heap {
  readonly base: number;
  readonly run: Run | null;
  page?: Page;
}
const heaps = new WeakMap<WebAssembly.Memory, Heap>();

/** A page on the backend's heap, or `null` where that is out of reach. */
function heapPage({ wasm }: WasmBackend): Page | null {
  const memory = wasm.wasmMemory ?? wasm.asm?.memory;
  if (!memory) return null;
  let heap = heaps.get(memory);
  if (!heap) {
    heap = { run: instantiate(memory), base: wasm._malloc(SIZE) };
    heaps.set(memory, heap);
  }
  if (heap.page?.floats.buffer !== memory.buffer) heap.page = pageIn(memory.buffer, heap.base, heap.run);
  return heap.page!;
}

export const wasmKernels = hostKernels(wasm);
