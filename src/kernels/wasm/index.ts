import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import { hostKernels } from '../host';
import type { SharingBackend } from '../host/cross-entropy-loss';
import type { Host, Values } from '../host/host';
import { jsLoops } from '../host/js-loops';
import type { RowLoops } from '../host/row-loops';
import { hostLoops } from '../simd/host-loops';
import { instantiate, type Run } from '../simd/instantiate';
import { SIZE } from '../simd/layout';
import { SimdLoops } from '../simd/simd-loops';

/** What we use of TensorFlow.js's `wasm` backend. */
interface WasmBackend extends SharingBackend {
  readonly wasm: {
    /** Emscripten's memory: of threaded builds, and of the others. */
    readonly wasmMemory?: WebAssembly.Memory;
    readonly asm?: { readonly memory?: WebAssembly.Memory };
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
  const work = backend.makeOutput([SIZE / 4], 'float32');
  // Not before now: making a tensor may grow the memory, and that detaches all views of it.
  const view = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor);
  try {
    compute(loopsOn(backend, view(work)), inputs.map(view), outputs.map(view));
    return outputs;
  } catch (error) {
    for (const { dataId } of outputs) backend.disposeData(dataId);
    throw error;
  } finally {
    backend.disposeData(work.dataId);
  }
};

const runs = new WeakMap<WebAssembly.Memory, Run | null>();

function loopsOn({ wasm }: WasmBackend, work: Values): RowLoops {
  const memory = wasm.wasmMemory ?? wasm.asm?.memory;
  if (!memory) return hostLoops();
  let run = runs.get(memory);
  if (run === undefined) {
    run = instantiate(memory);
    runs.set(memory, run);
  }
  return run ? new SimdLoops(run, work.buffer, work.byteOffset) : jsLoops;
}

export const wasmKernels = hostKernels(wasm);
