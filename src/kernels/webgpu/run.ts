import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { checkSize, type GpuBackend, isDense, isQuads, type Named, read, type Shader, uniformsOf } from '../gpu/device';
import { NUMBERS, toWGSL } from '../gpu/language';
import { THREADS } from './constants';

/** What we use of TensorFlow.js's `webgpu` backend. */
export interface WebGPUBackend extends GpuBackend {
  readonly device: { readonly limits: { readonly maxStorageBufferBindingSize: number } };
  runWebGPUProgram(program: object, inputs: TensorInfo[], dtype: 'float32', uniforms: object[]): TensorInfo;
}

/** One dispatch of a compute shader: `fn main(index: i32)`, which writes `result`. */
export interface Dispatch extends Pick<Shader, 'inputs' | 'floats' | 'code'> {
  readonly ints: Named<number>;
  /** Of `THREADS` threads each. */
  readonly groups: number;
}

export function run(
  backend: WebGPUBackend,
  outputShape: readonly number[],
  { code, inputs, ints, floats, groups }: Dispatch,
  outputComponent = 1,
): TensorInfo {
  const bound = read(code, inputs);
  for (const shape of [...bound.map(([, { shape }]) => shape), outputShape]) {
    const { maxStorageBufferBindingSize } = backend.device.limits;
    checkSize(shape, 4 * util.sizeFromShape([...shape]), maxStorageBufferBindingSize, 'maxStorageBufferBindingSize');
  }
  const accessors = bound.map(([name]) =>
    isQuads(name)
      ? `vec4f ${name}At(i32 i) { return ${name}[i]; }`
      : `f32 ${name}At(i32 i) { return f32(${name}[i]); }${isDense(name) ? along(name) : ''}`,
  );
  const uniforms = uniformsOf(ints, floats);
  // With a binding that no function reads, the device would drop all of the commands, without an exception.
  const touch = bound.map(([name]) => `_ = &${name};`).join(' ');
  const wgsl = toWGSL([START, ...accessors, NUMBERS, code.replace(MAIN, `$& ${touch}`)].join('\n'), uniforms);
  const result = backend.runWebGPUProgram(
    {
      shaderKey: wgsl,
      getUserCode: () => wgsl,
      variableNames: bound.map(([name]) => name),
      variableComponents: bound.map(([name]) => (isQuads(name) ? 4 : 1)),
      uniforms: uniforms.map(({ name, type }) => `${name} : ${type}, `).join(''),
      dispatch: [groups, 1, 1],
      dispatchLayout: { x: [0] },
      workgroupSize: [THREADS, 1, 1],
      outputShape: flat(outputShape),
      outputComponent,
    },
    // Shaders see one dimension: TensorFlow.js compiles another one for each rank.
    bound.map(([, { dataId, dtype, shape }]) => ({ dataId, dtype, shape: flat(shape) })),
    'float32',
    uniforms.map(({ type, value }) => ({ type: `${type}32`, data: [value] })),
  );
  return { ...result, shape: [...outputShape] };
}

const MAIN = /fn main.*?{/;

const flat = (shape: readonly number[]) => [util.sizeFromShape([...shape])];

const START = /* wgsl */ `
var<private> first: i32;
// Of class 0 of a row. Integers are slow to divide, and to compile for it.
fn firstOf(row: i32) -> i32 { return row / inner * inner * (classes - 1) + row; }
fn start(row: i32) { first = firstOf(row); }
`;

/** What lies beyond the end is read all the same, which WGSL keeps within bounds. */
const along = (name: string) => /* wgsl */ `
f32 ${name}Of(i32 row, i32 c) { return ${name}At(firstOf(row) + c * inner); }
vec4f ${name}Next(i32 c) {
  i32 i = first + c * inner;
  i32 step = lanes * inner;
  return vec4f(${name}At(i), ${name}At(i + step), ${name}At(i + 2 * step), ${name}At(i + 3 * step));
}`;
