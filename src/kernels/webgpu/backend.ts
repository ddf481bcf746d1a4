import { type DataId, type TensorInfo, util } from '@tensorflow/tfjs-core';

/** What we use of TensorFlow.js's `webgpu` backend. */
export interface WebGPUBackend {
  readonly device: { readonly limits: { readonly maxStorageBufferBindingSize: number } };
  runWebGPUProgram(program: object, inputs: TensorInfo[], dtype: 'float32', uniforms: object[]): TensorInfo;
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  disposeData(dataId: DataId): boolean;
}

/** One dispatch of a compute shader. */
export interface Dispatch {
  /** Names the shader by each choice that its text depends on. Sizes are uniforms: they must not make new shaders. */
  readonly key: string;
  /** WGSL with a `fn main(index: i32)`; it writes `result`, and reads inputs by their names. */
  readonly code: string;
  /** Those that the shader reads are bound, as `array<f32>` or `array<i32>`. */
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  /** Inputs of four floats a row, bound as `array<vec4<f32>>`. */
  readonly records?: Readonly<Record<string, TensorInfo>>;
  /** `uniforms.name` in the shader. */
  readonly ints?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
  readonly workgroups: number;
  readonly workgroupSize: number;
  readonly outputShape: readonly number[];
  /** 4 where `result` is an `array<vec4<f32>>`. */
  readonly outputComponent?: 1 | 4;
}

export function run(backend: WebGPUBackend, dispatch: Dispatch): TensorInfo {
  const { key, code, records = {}, ints = {}, floats = {}, workgroups, workgroupSize, outputShape } = dispatch;
  // With a binding that the shader does not read, the device would drop all of the commands, without an exception.
  const inputs = Object.entries({ ...dispatch.inputs, ...records }).filter(([name]) =>
    new RegExp(`\\b${name}\\[`).test(code),
  );
  for (const [name, { shape }] of inputs) checkBinding(backend, `\`${name}\``, shape);
  checkBinding(backend, 'the result', outputShape);
  const declare = (names: object, type: string) => Object.keys(names).map((name) => `${name} : ${type}, `);
  const program = {
    shaderKey: `tfjs-cross-entropy ${key}`,
    getUserCode: () => code,
    variableNames: inputs.map(([name]) => name),
    variableComponents: inputs.map(([name]) => (name in records ? 4 : 1)),
    uniforms: [...declare(ints, 'i32'), ...declare(floats, 'f32')].join(''),
    dispatch: [workgroups, 1, 1],
    dispatchLayout: { x: [0] },
    workgroupSize: [workgroupSize, 1, 1],
    outputShape: flat(outputShape),
    outputComponent: dispatch.outputComponent ?? 1,
  };
  const result = backend.runWebGPUProgram(
    program,
    inputs.map(([, { dataId, dtype, shape }]) => ({ dataId, dtype, shape: flat(shape) })),
    'float32',
    [...uniforms(ints, 'int32'), ...uniforms(floats, 'float32')],
  );
  return { ...result, shape: [...outputShape] };
}

/** Shaders see one dimension: TensorFlow.js compiles another one for each rank. */
const flat = (shape: readonly number[]) => [util.sizeFromShape([...shape])];

const uniforms = (values: object, type: string) => Object.values(values).map((value) => ({ type, data: [value] }));

/** A device refuses larger bindings too, but later, and without an exception. */
function checkBinding({ device }: WebGPUBackend, name: string, shape: readonly number[]): void {
  const limit = device.limits.maxStorageBufferBindingSize;
  const bytes = 4 * util.sizeFromShape([...shape]);
  if (bytes <= limit) return;
  throw new Error(
    `This WebGPU device takes tensors of up to ${limit} bytes (maxStorageBufferBindingSize), but ${name}, of shape ` +
      `[${shape.join(', ')}], has ${bytes}. Pass fewer rows at a time, or use a backend without this limit.`,
  );
}
