import { type DataId, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type Code, linked, type Named, piece } from '../gpu/code';
import { checkSize, type GpuBackend, signature, type Uniforms, uniformsOf } from '../gpu/device';
import { NUMBERS, toWGSL } from '../gpu/language';
import type { Adapter } from './constants';

/** What we use of TensorFlow.js's `webgpu` backend. */
export interface WebGPUBackend extends GpuBackend, Adapter {
  readonly tensorMap: { get(dataId: DataId): { readonly values?: ArrayLike<number> | null } };
  runWebGPUProgram(
    program: object,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniforms: object[],
    output?: TensorInfo,
  ): TensorInfo;
}

/** One dispatch of a compute shader. */
interface Dispatch extends Uniforms {
  /** `fn main(index: i32)`, which writes `result`. */
  readonly main: Code;
  readonly threads: number;
  readonly groups: number;
  readonly outputComponent?: 1 | 4;
  /** Whether what is dense is bound as vectors of four classes. */
  readonly vectors?: boolean;
  /** More outputs, by name: of vectors where there are four in a row of them, else of numbers. */
  readonly also?: Named<TensorInfo>;
  /** An input that is the output, too. */
  readonly over?: TensorInfo;
}

export function run(backend: WebGPUBackend, outputShape: readonly number[], dispatch: Dispatch): TensorInfo {
  const { main, threads, groups, outputComponent = 1, vectors = false, also = {}, over } = dispatch;
  const { text, inputs } = linked(main);
  for (const shape of [...inputs.map(([, { tensor }]) => tensor.shape), outputShape]) {
    const { maxStorageBufferBindingSize } = backend.device.limits;
    checkSize(shape, 4 * util.sizeFromShape([...shape]), maxStorageBufferBindingSize, 'maxStorageBufferBindingSize');
  }
  const accessors = inputs.map(([name, { tensor, type, isDense }]) => {
    const source = tensor === over ? 'result' : name;
    // Floats that were cast from integers are in a buffer of integers.
    const at = isDense && vectors ? `${source}[i >> 2u][i & 3]` : `${source}[i]`;
    return `${type} ${name}At(i32 i) { return ${type}(${at}); }${isDense ? along(name, source, vectors) : ''}`;
  });
  const bound = inputs
    .filter(([, { tensor }]) => tensor !== over)
    .map(([name, { tensor, type, isDense }]) => ({
      name,
      tensor,
      component: type === 'vec4f' || (isDense && vectors) ? 4 : 1,
    }));
  for (const [name, tensor] of Object.entries(also)) {
    // TensorFlow.js knows one output, and binds these as if they were read.
    const component = tensor.shape[1] === 4 ? 4 : 1;
    const type = component === 4 ? 'vec4f' : 'f32';
    accessors.push(`@group(0) @binding(${bound.length + 1}) var<storage, read_write> ${name}: array<${type}>;`);
    bound.push({ name: `${name}Bound`, tensor, component });
  }
  if (over) backend.incRef(over.dataId); // one more tensor has its data
  const uniforms = uniformsOf(dispatch);
  const wgsl = wgslOf([...accessors, NUMBERS, text].join('\n') + signature(uniforms), uniforms);
  const result = backend.runWebGPUProgram(
    {
      shaderKey: wgsl,
      getUserCode: () => wgsl,
      variableNames: bound.map(({ name }) => name),
      variableComponents: bound.map(({ component }) => component),
      uniforms: uniforms.map(({ name, type }) => `${name} : ${type}, `).join(''),
      dispatch: [groups, 1, 1],
      dispatchLayout: { x: [0] },
      workgroupSize: [threads, 1, 1],
      outputShape: flat(outputShape),
      outputComponent,
    },
    // Shaders see one dimension: TensorFlow.js compiles another one for each rank.
    bound.map(({ tensor: { dataId, dtype, shape } }) => ({ dataId, dtype, shape: flat(shape) })),
    'float32',
    uniforms.map(({ type, value }) => ({ type: `${type}32`, data: [value] })),
    over && { ...over, shape: flat(over.shape) },
  );
  return { ...result, shape: [...outputShape] };
}

/** By what they are translated from, which takes too long to do at each dispatch. */
const translated = new Map<string, string>();
function wgslOf(code: string, uniforms: ReturnType<typeof uniformsOf>): string {
  let wgsl = translated.get(code);
  if (wgsl === undefined) {
    wgsl = toWGSL(code, uniforms);
    translated.set(code, wgsl);
  }
  return wgsl;
}

const flat = (shape: readonly number[]) => [util.sizeFromShape([...shape])];

/** Where a row starts: called by all that reads or writes along it. */
export const START = piece(/* wgsl */ `
var<private> first: i32;
// Of class 0 of a row. Integers are slow to divide, and to compile for it.
fn firstOf(row: i32) -> i32 { return row / inner * inner * (classes - 1) + row; }
fn start(row: i32, begin: i32) { first = firstOf(row); }
`);

/** What lies beyond the end is read all the same, which WGSL keeps within bounds. */
function along(name: string, source: string, vectors: boolean): string {
  const steps = [0, 1, 2, 3].map((k) => `${name}At(i + ${k} * apart * inner)`);
  return /* wgsl */ `
f32 ${name}Of(i32 row, i32 c) { return ${name}At(firstOf(row) + c * inner); }
vec4f ${name}Next(i32 c) {
  i32 i = first + c * inner;
  return ${vectors ? `vec4f(${source}[i >> 2u])` : `vec4f(${steps.join(', ')})`};
}`;
}
