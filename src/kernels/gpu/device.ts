import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import { type Code, type Input, type Named, piece, type Walk } from './code';

/** What we use of both GPU backends of TensorFlow.js. */
export interface GpuBackend {
  makeTensorInfo(shape: number[], dtype: 'float32', values?: Float32Array): TensorInfo;
  disposeData(dataId: DataId): boolean;
  incRef(dataId: DataId): void;
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

/** A loss. */
export interface LossPass {
  readonly walk: Walk;
  /** `vec4f finish(i32 row, vec4f state)`: the record. */
  readonly finish: Code;
  /** `vec4f statsOf(i32 row, vec4f record)`: what is taken, or added up, in place of a record. */
  readonly stats?: Code;
}

/**
 * A loss and its gradient. A record has a tag in place of the weight, negative where the row is correct if there are stats.
 * The terms of a value are `termsOfRecord`.
 */
export interface GradientPass extends LossPass {
  readonly value: Code;
  /** Of the loss: a number, or the sum of `f32 weightOf(i32 row)`. */
  readonly divisor: number | Code;
}

/** The terms of a row's elements, given its record `r` and `k`, which is the `upstream` gradient, a uniform, over the divisor. */
export const termsOfRecord = ({ stats }: Pick<LossPass, 'stats'>) =>
  `vec4f(r.x, k * r.y, k, ${stats ? 'select(r.w, -r.w, r.w < -1.)' : 'r.w'})`;

/** What a GPU has to be able to do; `kernels.ts` builds on it. */
export interface Device<Backend> {
  /** Whether a class is that of the row's label: by its terms' tag, or the label itself. */
  isLabel(labels: Named<Input>): Code;
  /**
   * A tensor of the shape. The terms of a row are at hand, or what the code `vec4f prepare(i32 row)` gives. A tensor that
   * nobody else needs may be overwritten.
   */
  map(backend: Backend, rows: Rows, value: Code, terms: Input | Code, over?: TensorInfo): TensorInfo;
  /** Terms are what `vec4f finish(i32 row, vec4f state)` makes of the state that a walk along the row leaves. */
  sweep(backend: Backend, rows: Rows, walk: Walk, finish: Code, value: Code): TensorInfo;
  /** Also scalars: expressions of a `sum` with all losses as its third number and the divisor as its fourth. */
  lossAndGradient(
    backend: Backend,
    rows: Rows,
    pass: GradientPass,
    expressions: string[],
  ): [gradient: TensorInfo, scalars: TensorInfo[]];
  /** Also scalars: expressions of the `sum` of all records. Or, of `each` row, numbers: `sum` is its record then. */
  lossAndRecord(
    backend: Backend,
    rows: Rows,
    pass: LossPass,
    expressions: string[],
    each: boolean,
  ): [record: TensorInfo, results: TensorInfo[]];
}

export const isLabel = (test: string, labels?: Named<Input>): Code =>
  piece(`bool isLabel(i32 row, i32 c, vec4f t) { return ${test}; }`, labels);

export function uniformsOf({ ints = {}, floats = {} }: Uniforms) {
  return [ints, floats].flatMap((values, float) =>
    Object.entries(values).map(([name, value]) => ({ name, type: float ? 'float' : 'int', value })),
  );
}

/** Belongs to a shader's text, by which TensorFlow.js tells shaders apart: not by their uniforms. */
export const signature = (uniforms: ReturnType<typeof uniformsOf>) => `\n//${uniforms.map(({ name }) => name)}`;

/** The least one that is no less than `x`. */
export const powerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, x)));

/** Throws where the device would fail later, deep inside or in silence. */
export function checkSize(shape: readonly number[], needed: number, limit: number, name: string): void {
  if (needed <= limit) return;
  throw new Error(
    `A tensor of shape [${shape.join(', ')}] is too large for this device: it needs ${needed} of ${name}, which is ` +
      `${limit}. Use smaller batches.`,
  );
}
