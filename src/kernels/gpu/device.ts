import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import type { ClassView } from '../../ops/class-view';

/** What we use of both GPU backends of TensorFlow.js. */
export interface GpuBackend {
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  disposeData(dataId: DataId): boolean;
}

/** What is done to the rows of a tensor, in the language of `language.ts`. */
export interface Shader {
  readonly shape: readonly number[];
  readonly dim: number;
  /**
   * Known to the code by their names: `x` and `y` have that shape, `record` and `states` four numbers an index; of
   * others, element `i` is `<name>At(i)`. Bound is what the code reads.
   */
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly floats?: Readonly<Record<string, number>>;
  readonly code: string;
}

/** What a GPU has to be able to do; `kernels.ts` builds on it. */
export interface Device<Backend> {
  /** Where `value` finds the label, if any: the fourth term, unless such numbers are too small for labels. */
  label(): string;
  /** Rows of more classes are better cut into chunks of so many. */
  chunkOf(view: ClassView): number;
  /**
   * Four numbers a chunk of each row: `vec4f finish(i32 row, vec4f state)` of what `vec4f walk(i32 row, i32 begin,
   * i32 end)` gives. With several lanes, each walks every `lanes`th class, and the code `merge`s their states.
   */
  reduce(backend: Backend, shader: Shader, chunk: number, chunks: number): TensorInfo;
  /**
   * A tensor of the shape: `f32 value(i32 row, i32 c, vec4f t, f32 x, f32 y)`, with the terms `t` of a row. They are its
   * `record`, or what the code `vec4f prepare(i32 row)` gives.
   */
  map(backend: Backend, shader: Shader, prepare?: string): TensorInfo;
  /** The scalar `f32 outputOf(vec4f sum)`, of all that `reduce` gave for unbroken rows. */
  total(backend: Backend, rows: number, shader: Pick<Shader, 'inputs' | 'floats' | 'code'>): TensorInfo;
}

/** The inputs that the code reads. */
export function read(code: string, inputs: Shader['inputs']): [name: string, tensor: TensorInfo][] {
  return Object.entries(inputs).filter(([name]) => new RegExp(`\\b${name}(At|Of|Next)\\b`).test(code));
}

export const isDense = (name: string): boolean => /^[xy]$/.test(name);
export const isQuads = (name: string): boolean => /^(record|states)$/.test(name);

export function tooLarge(shape: readonly number[], needed: string, limit: string): Error {
  return new Error(
    `A tensor of shape [${shape.join(', ')}] needs ${needed}, but this device allows ${limit}. Pass a smaller batch, or ` +
      'use a backend without this limit.',
  );
}
