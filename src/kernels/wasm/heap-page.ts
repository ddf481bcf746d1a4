import { type Page, pageIn, type Run } from '../host/page';
import { SIZE } from '../host/page-layout';
import { instantiate } from '../simd/instantiate';

/** What a page needs of Emscripten's module. */
export interface HeapModule {
  /** Its memory: of threaded builds, and of the others. */
  readonly wasmMemory?: WebAssembly.Memory;
  readonly asm?: { readonly memory?: WebAssembly.Memory };
  _malloc(bytes: number): number;
}

interface Heap {
  readonly base: number;
  readonly run: Run | null;
  page?: Page;
}
const heaps = new WeakMap<WebAssembly.Memory, Heap>();

/** A page on the backend's heap, where its tensors are, or `null` where that is out of reach. */
export function heapPage(module: HeapModule): Page | null {
  const memory = module.wasmMemory ?? module.asm?.memory;
  if (!memory) return null;
  let heap = heaps.get(memory);
  if (!heap) {
    heap = { run: instantiate(memory), base: module._malloc(SIZE) };
    heaps.set(memory, heap);
  }
  // When the memory grows, all views of it are detached.
  if (heap.page?.floats.buffer !== memory.buffer) heap.page = pageIn(memory.buffer, heap.base, heap.run);
  return heap.page!;
}
