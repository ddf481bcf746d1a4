import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';

/** What we use of both GPU backends of TensorFlow.js. */
export interface GpuBackend {
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  disposeData(dataId: DataId): boolean;
}

/**
 * What a shader does to the rows of a tensor, in the language of `language.ts`. Inputs are known to it by their names,
 * and bound only where the code reads them.
 */
export interface Shader {
  readonly shape: readonly number[];
  readonly dim: number;
  /** `x` and `y`, tensors of that shape. */
  readonly dense: Readonly<Record<string, TensorInfo>>;
  /** Tensors whose element `i` is `<name>At(i)`. */
  readonly sparse?: Readonly<Record<string, TensorInfo>>;
  /** What `reduce` gave: `vec4f recordAt(i32 row)`. */
  readonly record?: TensorInfo;
  readonly floats?: Readonly<Record<string, number>>;
  readonly code: string;
}

export interface Reduction extends Shader {
  /** `vec4f walk(i32 row, i32 begin, i32 end)`: the state of some classes, `lanes` apart. */
  readonly walk: string;
  /** Whether the row's state depends on all classes, so that they are worth sharing. */
  readonly long: boolean;
}

export interface Device<Backend> {
  /** Four numbers a row, `vec4f finish(i32 row, vec4f state)`. */
  reduce(backend: Backend, reduction: Reduction): TensorInfo;
  /** A tensor of the elements `f32 value(vec4f terms, f32 label, i32 c, f32 x, f32 y)`; `prepare(row)` gives the terms. */
  map(backend: Backend, shader: Shader & { readonly record: TensorInfo }): TensorInfo;
  /** The scalar `f32 outputOf(vec4f sum)`, of the sum of what `reduce` gave for `rows` rows. */
  total(
    backend: Backend,
    record: TensorInfo,
    rows: number,
    floats: Readonly<Record<string, number>>,
    code: string,
  ): TensorInfo;
}

/** The inputs that a piece of code reads. */
export function read<T>(code: string, inputs: Readonly<Record<string, T>>): [name: string, input: T][] {
  return Object.entries(inputs).filter(([name]) => new RegExp(`\\b${name}(At|Of|Next)\\b`).test(code));
}

export function tooLarge(shape: readonly number[], needed: string, limit: string): Error {
  return new Error(
    `A tensor of shape [${shape.join(', ')}] needs ${needed}, but this device allows ${limit}. Pass a smaller batch, or ` +
      'use a backend without this limit.',
  );
}
