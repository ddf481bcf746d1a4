import type { Values } from '../host/host';

/** Where in a memory kernels work: beside the tensors, or in a memory of its own. */
export interface Workspace {
  readonly memory: WebAssembly.Memory;
  /** At least so many bytes. What was reserved before may have moved, and all views of the memory may be detached. */
  reserve(bytes: number): Room;
}

export interface Room {
  readonly address: number;
  /** Views of the whole memory. */
  readonly floats: Values;
  readonly ints: Int32Array;
}

const PAGE = 65536;

/** A memory of its own, for tensors in typed arrays, which are copied there block by block. */
export function ownWorkspace(): Workspace {
  const memory = new WebAssembly.Memory({ initial: 1 });
  return workspaceIn(memory, (bytes) => {
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return 0;
  });
}

/** What is needed of Emscripten's module. */
export interface Heap {
  /** Its memory: of threaded builds, and of the others. */
  readonly wasmMemory?: WebAssembly.Memory;
  readonly asm?: { readonly memory?: WebAssembly.Memory };
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** On the heap where the tensors are, or `null` where its memory is out of reach. */
export function heapWorkspace(heap: Heap): Workspace | null {
  const memory = heap.wasmMemory ?? heap.asm?.memory;
  if (!memory) return null;
  let address = 0;
  let size = 0;
  return workspaceIn(memory, (bytes) => {
    if (bytes <= size) return address;
    if (address) heap._free(address);
    size = 0;
    address = heap._malloc(Math.max(bytes, PAGE)) >>> 0; // above 2^31 Emscripten's addresses are negative
    if (!address) throw outOfMemory(bytes);
    size = Math.max(bytes, PAGE);
    return address;
  });
}

function workspaceIn(memory: WebAssembly.Memory, allocate: (bytes: number) => number): Workspace {
  let room: Room | undefined;
  return {
    memory,
    reserve(bytes) {
      const address = allocate(bytes);
      const { buffer } = memory;
      if (room?.address !== address || room.floats.buffer !== buffer) {
        room = { address, floats: new Float32Array(buffer) as Values, ints: new Int32Array(buffer) };
      }
      return room;
    },
  };
}

export function outOfMemory(bytes: number): Error {
  return new Error(
    `WebAssembly's memory is used up: ${bytes} more bytes are wanted. Dispose of tensors, or use smaller batches.`,
  );
}
