import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import type { ClassView } from '../../contract/class-view';
import { type Code, type Input, type Named, piece, type Walk } from './code';

/** What we use of both GPU backends of TensorFlow.js. */
export interface GpuBackend {
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  disposeData(dataId: DataId): boolean;
}

/** What varies from call to call: it must not make new shaders. */
export interface Uniforms {
  readonly ints?: Named<number>;
  readonly floats?: Named<number>;
}

/** The rows of a tensor, and what shaders are told that visit them. */
export interface Rows extends Uniforms {
  readonly shape: readonly number[];
  readonly dim: number;
}

/** What a GPU has to be able to do; `kernels.ts` builds on it. */
export interface Device<Backend> {
  /** Whether a class is that of the row's label: by its terms' tag, or the label itself. */
  isLabel(labels: Named<Input>): Code;
  /** Rows of more classes are better cut into chunks of so many. */
  chunkOf(view: ClassView): number;
  /** Four numbers a chunk of each row: `vec4f finish(i32 row, vec4f state)` of the state that the walk along it leaves. */
  reduce(backend: Backend, rows: Rows, walk: Walk, finish: Code, chunk: number, chunks: number): TensorInfo;
  /** A tensor of the shape. The terms of a row are at hand, or what the code `vec4f prepare(i32 row)` gives. */
  map(backend: Backend, rows: Rows, value: Code, terms: Input | Code): TensorInfo;
  /** Scalars: expressions of the `sum` of the records of all rows, times a scale. */
  totals(backend: Backend, rows: number, record: Input, expressions: string[], scale?: number): TensorInfo[];
}

export const isLabel = (test: string, labels?: Named<Input>): Code =>
  piece(`bool isLabel(i32 row, i32 c, vec4f t) { return ${test}; }`, labels);

export function uniformsOf({ ints = {}, floats = {} }: Uniforms) {
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
