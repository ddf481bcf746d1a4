import { MEMORY_TYPE, relaxed, simd } from './embedded';

/** The globals of `assembly/parameters.ts`. */
type Parameter =
  | 'workspace'
  | 'tileRows'
  | 'tile'
  | 'secondTile'
  | 'classes'
  | 'classStride'
  | 'labels'
  | 'upstream'
  | 'upstreamStep'
  | 'record'
  | 'correct'
  | 'weights'
  | 'ignoreIndex'
  | 'labelShare'
  | 'hasClassCoefficients'
  | 'probabilityShare'
  | 'uniformShare'
  | 'perDivisor'
  | 'likelihoods'
  | 'smoothings';

/** What `assembly/index.ts` exports: globals by name, and functions. */
export type Module = Readonly<Record<Parameter, WebAssembly.Global>> & {
  /** Bytes that the module needs at `workspace` for itself. */
  readonly RESERVED: WebAssembly.Global;
  begin(): void;
  loss(rows: number, x: number, q: number, out: number): void;
  lossGradient(rows: number, x: number, q: number, out: number): void;
  softmax(rows: number, x: number, out: number): void;
  logSoftmax(rows: number, x: number, out: number): void;
  softmaxGradient(rows: number, y: number, dy: number, out: number): void;
  logSoftmaxGradient(rows: number, x: number, dy: number, out: number): void;
  scale(rows: number, x: number, perExpected: number): void;
  addDots(g: number, step: number, x: number, w: number, rows: number, units: number, features: number): void;
  addProduct(
    out: number,
    a: number,
    rowStep: number,
    termStep: number,
    b: number,
    rows: number,
    terms: number,
    columns: number,
  ): void;
};

/** A memory that threads share has another type than the modules expect, of as many bytes. */
const SHARED_MEMORY = [3, 0, 0x80, 0x80, 4];

/**
 * The kernels on this memory, or `null` where WebAssembly or its SIMD instructions are missing, or are forbidden by a
 * page's Content-Security-Policy. Synchronous, which browsers allow for modules of this size (Chrome from version 114 on).
 */
export function instantiate(memory: WebAssembly.Memory): Module | null {
  try {
    const fused = decode(relaxed);
    const bytes = WebAssembly.validate(fused) ? fused : decode(simd);
    if (String(memory.buffer) === '[object SharedArrayBuffer]') bytes.set(SHARED_MEMORY, MEMORY_TYPE);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    return exports as unknown as Module;
  } catch {
    return null;
  }
}

export function setParameters(module: Module, values: Partial<Record<Parameter, number>>): void {
  for (const name of Object.keys(values) as Parameter[]) module[name].value = values[name];
}

/** The bytes of `textOf` in build.mjs; an array of bytes counts modulo 256. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const characters = text.match(/[! ]?[^! ]/g)!;
  return Uint8Array.from(
    characters,
    (c) => c.charCodeAt(c.length - 1) - 40 + 92 * ['', '!', ' '].indexOf(c.slice(0, -1)),
  );
}
