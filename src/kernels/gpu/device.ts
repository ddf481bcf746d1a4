import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import type { ClassView } from '../../contract/class-view';

/** What we use of both GPU backends of TensorFlow.js. */
export interface GpuBackend {
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  disposeData(dataId: DataId): boolean;
}

export type Named<T> = Readonly<Record<string, T>>;

/** What is done to the rows of a tensor, in the language of `language.ts`. */
export interface Shader {
  readonly shape: readonly number[];
  readonly dim: number;
  /**
   * Known to the code by their names: `x` and `y` have that shape, `record` and `states` four numbers an index; of
   * others, element `i` is `<name>At(i)`. Bound is what the code reads.
   */
  readonly inputs: Named<TensorInfo>;
  readonly floats?: Named<number>;
  readonly code: string;
}

/** What a GPU has to be able to do; `kernels.ts` builds on it. */
export interface Device<Backend> {
  /** Where a value finds the label, if any: the fourth term, unless such numbers are too small for labels. */
  label(): string;
  /** Rows of more classes are better cut into chunks of so many. */
  chunkOf(view: ClassView): number;
  /**
   * Four numbers a chunk of each row: `vec4f finish(i32 row, vec4f state)` of what `vec4f walk(i32 row, i32 begin,
   * i32 end)` gives. With several lanes, each walks every `lanes`th class, and the code `merge`s their states.
   */
  reduce(backend: Backend, shader: Shader, chunk: number, chunks: number): TensorInfo;
  /**
   * A tensor of the shape. `value` is an expression of an element of class `c` of `row`, given its `x` and `y`, and the
   * terms `t` of the row: its `record`, or what the code `vec4f prepare(i32 row)` gives.
   */
  map(backend: Backend, shader: Shader & { readonly value: string }, prepare?: string): TensorInfo;
  /** For each of some uniforms the scalar `f32 outputOf(vec4f sum)`, of the records of all rows, times a scale. */
  totals(
    backend: Backend,
    rows: number,
    record: TensorInfo,
    uniforms: readonly Named<number>[],
    code: string,
    scale?: number,
  ): TensorInfo[];
}

/** The inputs that the code reads. */
export function read(code: string, inputs: Shader['inputs']): [name: string, tensor: TensorInfo][] {
  return Object.entries(inputs).filter(([name]) => new RegExp(`\\b${name}(At|Of|Next)\\b`).test(code));
}

export const isDense = (name: string): boolean => /^[xy]$/.test(name);
export const isQuads = (name: string): boolean => /^(record|states)$/.test(name);

/**
 * The function that an expression of an element makes, which of `x` and `y` it takes, and those of its arguments for
 * the `i`th element of `xFour` and `yFour`.
 */
export function valueFunction(value: string) {
  const isTaken = (name: string) => new RegExp(`[^.]\\b${name}\\b`).test(` ${value}`);
  return {
    code: `f32 value(i32 row, i32 c, vec4f t, f32 x, f32 y) { return ${value}; }`,
    names: [...'xy'].filter(isTaken),
    dense: (i: number) => [...'xy'].map((name) => (isTaken(name) ? `${name}Four[${i}]` : '0.')).join(', '),
  };
}

/** What varies from call to call: it must not make new shaders. */
export function uniformsOf(ints: Named<number>, floats: Named<number> = {}) {
  return [ints, floats].flatMap((values, float) =>
    Object.entries(values).map(([name, value]) => ({ name, type: float ? 'float' : 'int', value })),
  );
}

/** Throws where the device would fail later, deep inside or in silence. */
export function checkSize(shape: readonly number[], needed: number, limit: number, name: string): void {
  if (needed <= limit) return;
  throw new Error(
    `A tensor of shape [${shape.join(', ')}] is too large for this device: it needs ${needed} of ${name}, which is ` +
      `${limit}. Use smaller batches.`,
  );
}
