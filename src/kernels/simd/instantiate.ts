import type { Run } from '../host/page';
import { MEMORY_TYPE, relaxed, simd } from './embedded';

/** A memory that threads share has another type than the modules expect, of as many bytes. */
const SHARED_MEMORY = [3, 0, 0x80, 0x80, 4];

/**
 * The kernels on this memory, or `null` where WebAssembly or its SIMD instructions are missing, or are forbidden by a
 * page's Content-Security-Policy. Synchronous, which browsers allow for modules of this size (Chrome from version 114 on).
 */
export function instantiate(memory: WebAssembly.Memory): Run | null {
  try {
    const fused = decode(relaxed);
    const bytes = WebAssembly.validate(fused) ? fused : decode(simd);
    if (String(memory.buffer) === '[object SharedArrayBuffer]') bytes.set(SHARED_MEMORY, MEMORY_TYPE);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    return exports.run as Run;
  } catch {
    return null;
  }
}

function decode(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g)!, (byte) => Number.parseInt(byte, 16));
}
