import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type Code, linked, piece } from '../gpu/code';
import { checkSize, type GpuBackend, type Uniforms, uniformsOf } from '../gpu/device';
import { NUMBERS, toWGSL } from '../gpu/language';
import { THREADS } from './constants';

/** What we use of TensorFlow.js's `webgpu` backend. */
export interface WebGPUBackend extends GpuBackend {
  readonly device: { readonly limits: { readonly maxStorageBufferBindingSize: number } };
  runWebGPUProgram(program: object, inputs: TensorInfo[], dtype: 'float32', uniforms: object[]): TensorInfo;
}

/** One dispatch of a compute shader. */
export interface Dispatch extends Uniforms {
  /** `fn main(index: i32)`, which writes `result`. */
  readonly main: Code;
  /** Of `THREADS` threads each. */
  readonly groups: number;
}

export function run(
  backend: WebGPUBackend,
  outputShape: readonly number[],
  { main, groups, ...values }: Dispatch,
  outputComponent = 1,
): TensorInfo {
  const { text, inputs } = linked(main);
  for (const shape of [...inputs.map(([, { tensor }]) => tensor.shape), outputShape]) {
    const { maxStorageBufferBindingSize } = backend.device.limits;
    checkSize(shape, 4 * util.sizeFromShape([...shape]), maxStorageBufferBindingSize, 'maxStorageBufferBindingSize');
  }
  const accessors = inputs.map(
    // Floats that were cast from integers are in a buffer of integers.
    ([name, { type, isDense }]) =>
      `${type} ${name}At(i32 i) { return ${type}(${name}[i]); }${isDense ? along(name) : ''}`,
  );
  const uniforms = uniformsOf(values);
  const wgsl = toWGSL([...accessors, NUMBERS, text].join('\n'), uniforms);
  const result = backend.runWebGPUProgram(
    {
      shaderKey: wgsl,
      getUserCode: () => wgsl,
      variableNames: inputs.map(([name]) => name),
      variableComponents: inputs.map(([, { type }]) => (type === 'vec4f' ? 4 : 1)),
      uniforms: uniforms.map(({ name, type }) => `${name} : ${type}, `).join(''),
      dispatch: [groups, 1, 1],
      dispatchLayout: { x: [0] },
      workgroupSize: [THREADS, 1, 1],
      outputShape: flat(outputShape),
      outputComponent,
    },
    // Shaders see one dimension: TensorFlow.js compiles another one for each rank.
    inputs.map(
      ([
        ,
        {
          tensor: { dataId, dtype, shape },
        },
      ]) => ({ dataId, dtype, shape: flat(shape) }),
    ),
    'float32',
    uniforms.map(({ type, value }) => ({ type: `${type}32`, data: [value] })),
  );
  return { ...result, shape: [...outputShape] };
}

const flat = (shape: readonly number[]) => [util.sizeFromShape([...shape])];

/** Where a row starts: called by all that reads or writes along it. */
export const START = piece(/* wgsl */ `
var<private> first: i32;
// Of class 0 of a row. Integers are slow to divide, and to compile for it.
fn firstOf(row: i32) -> i32 { return row / inner * inner * (classes - 1) + row; }
fn start(row: i32) { first = firstOf(row); }
`);

/** What lies beyond the end is read all the same, which WGSL keeps within bounds. */
const along = (name: string) => /* wgsl */ `
f32 ${name}Of(i32 row, i32 c) { return ${name}At(firstOf(row) + c * inner); }
vec4f ${name}Next(i32 c) {
  i32 i = first + c * inner;
  i32 step = lanes * inner;
  return vec4f(${name}At(i), ${name}At(i + step), ${name}At(i + 2 * step), ${name}At(i + 3 * step));
}`;
