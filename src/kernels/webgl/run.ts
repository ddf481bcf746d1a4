import { type DataId, env, type TensorInfo } from '@tensorflow/tfjs-core';
import { type Code, linked } from '../gpu/code';
import { checkSize, type GpuBackend, signature, type Uniforms, uniformsOf } from '../gpu/device';
import { GLSL, NUMBERS } from '../gpu/language';

/** What we use of TensorFlow.js's `webgl` backend. */
export interface WebGLBackend extends GpuBackend {
  readonly texData: { get(dataId: DataId): TextureData };
  /** How many tensors, if more than one, lie in the texture of one. */
  readonly dataRefCount: WeakMap<DataId, number>;
  compileAndRun(
    program: object,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniformValues: number[][],
    preventEagerUnpackingOfOutput: boolean,
  ): TensorInfo;
}

interface TextureData {
  readonly values: Int32Array | Float32Array | null;
  shape: readonly number[];
}

export interface Program extends Uniforms {
  readonly main: Code;
  /** How rows lie in texels, for what is dense: see `layouts.ts`. */
  readonly layout?: string;
}

/** Whether textures hold half floats. */
export const isHalf = (): boolean => !env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');

/**
 * TensorFlow.js packs 2 x 2 elements of the last two dimensions into a texel, and all inputs must be packed if one is.
 * We address texels ourselves: its samplers come in many variants, each a program to compile, and read a packed
 * `[1, p, q]` with the variant of another shape. Hence every shape is given as four dimensions. All that varies from
 * call to call is a uniform: what stands in the code makes for a program of its own.
 */
export function run(
  backend: WebGLBackend,
  shape: readonly number[],
  program: Program,
  { scheme = 1, packed = true } = {},
): TensorInfo {
  checkTexture(shape);
  const { text, inputs } = linked(program.main);
  const uniforms = uniformsOf(program);
  const tensors: Record<string, TensorInfo> = {};
  const temporary: TensorInfo[] = [];
  const accessors = inputs.map(([name, { tensor, type, isDense }]) => {
    checkTexture(tensor.shape);
    const length = size(tensor.shape);
    const { values } = backend.texData.get(tensor.dataId);
    const add = (shape: number[], i: string, type: string, value: string, dataId = tensor.dataId) => {
      tensors[name] = { dataId, dtype: 'float32', shape };
      return `${type} ${name}At(int i) { vec4 t = texel(${name}, ${i}, ${name}TexShape[1]); return ${value}; }`;
    };
    if (isDense) return add(fourDimensions(tensor.shape), 'i', 'vec4', 't') + along(name);
    if (type === 'vec4f') return add([1, tensor.shape[0], 2, 2], 'i', 'vec4', 't');
    if (values && length === 1) {
      // A tensor would have to be uploaded, which is one program more.
      uniforms.push({ name: `${name}Value`, type: type === 'i32' ? 'int' : 'float', value: values[0] });
      return `#define ${name}At(i) ${name}Value`;
    }
    if (type === 'f32') return add([1, 1, 1, length], 'i >> 1', type, 't[i & 1]');
    // Textures hold integers as floats, which have gaps from here on.
    const gaps = isHalf() ? 2 ** 11 : 2 ** 24;
    if (values?.some((value) => Math.abs(value) > gaps)) {
      const bytes = Float32Array.from(new Uint8Array(Int32Array.from(values).buffer));
      temporary.push(backend.makeTensorInfo([length, 2, 2], 'float32', bytes));
      return add(
        [1, length, 2, 2],
        'i',
        type,
        'int(t.x) | int(t.y) << 8 | int(t.z) << 16 | int(t.w) << 24',
        temporary[0].dataId,
      );
    }
    return add([1, 1, 1, length], 'i >> 1', type, 'int(min(t[i & 1], 2147483520.))');
  });
  const result = backend.compileAndRun(
    {
      variableNames: Object.keys(tensors),
      customUniforms: uniforms,
      outputShape: fourDimensions(shape),
      outPackingScheme: scheme,
      packedInputs: true,
      packedOutput: packed,
      enableShapeUniforms: true,
      userCode: [
        GLSL,
        TEXELS,
        outTexel(packed ? '((outTexShape[1] + 1) >> 1)' : 'outTexShape[1]'),
        program.layout,
        ...accessors,
        NUMBERS,
        text,
        signature(uniforms),
      ].join('\n'),
    },
    Object.values(tensors),
    'float32',
    uniforms.map(({ value }) => [value]),
    true,
  );
  for (const { dataId } of temporary) backend.disposeData(dataId);
  return { ...result, shape: [...shape] };
}

/**
 * The same for an output of texels with four numbers each. They lie in the same order in both of TensorFlow.js's schemes,
 * but with 0 they make a square, and with 1 a column of single texels, where GPUs draw blocks of 2 x 2 or more.
 */
export function runQuads(backend: WebGLBackend, texels: number, program: Program): TensorInfo {
  return { ...run(backend, [texels, 2, 2], program, { scheme: 0 }), shape: [texels, 4] };
}

/**
 * Tensors of one shape, their elements one after another, a texel each. They share the texture as slices do that
 * TensorFlow.js makes of a tensor that is not packed: no program is run for them.
 */
export function runUnpacked(backend: WebGLBackend, shape: number[], tensors: number, program: Program): TensorInfo[] {
  const length = size(shape);
  const { dataId } = run(backend, [tensors * length], program, { packed: false });
  const data = backend.texData.get(dataId);
  return Array.from({ length: tensors }, (_, i) => {
    if (i === 0) {
      data.shape = shape; // it has the texture itself, and need not be copied in order to be read
      return { dataId, dtype: 'float32', shape };
    }
    const slice = backend.makeTensorInfo(shape, 'float32');
    const ofSlice = { ...data, shape, refCount: 1, slice: { flatOffset: i * length, origDataId: dataId } };
    Object.assign(backend.texData.get(slice.dataId), ofSlice);
    backend.dataRefCount.set(dataId, i + 1);
    return slice;
  });
}

const TEXELS = /* glsl */ `
ivec2 place(int i, int wide) { int y = i / wide; return ivec2(i - y * wide, y); }

// Integers are slow to divide; the quotient of floats is off by 1 at the most.
vec4 texel(sampler2D source, int i, int columns) {
  int wide = (columns + 1) >> 1, y = int(float(i) / float(wide)), x = i - y * wide;
  return texelFetch(source, x < 0 ? ivec2(x + wide, y - 1) : x < wide ? ivec2(x, y) : ivec2(x - wide, y + 1), 0);
}

`;

/** The number of this fragment's texel. */
const outTexel = (columns: string) =>
  `int outTexel() { return int(gl_FragCoord.y) * ${columns} + int(gl_FragCoord.x); }`;

/** An element, and those of four classes of the row that was started. */
const along = (name: string) => /* glsl */ `
float ${name}Of(int row, int c) { int i = texelOf(row, c); return ${name}At(i)[part]; }
vec4 ${name}Next(int c) { int i = first + (c >> classBits) * stride; return FOUR(${name}At); }`;

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** With the planes of 2 x 2 elements a texel as the last two. */
export function fourDimensions(shape: readonly number[]): number[] {
  return [1, size(shape.slice(0, -2)), ...[1, 1, ...shape].slice(-2)];
}

/** Before an upload fails, which knows no remedy. */
function checkTexture(shape: readonly number[]): void {
  const [, planes, height, width] = fourDimensions(shape);
  const side = Math.ceil(Math.sqrt(planes * Math.ceil(height / 2) * Math.ceil(width / 2)));
  checkSize(shape, side, env().getNumber('WEBGL_MAX_TEXTURE_SIZE'), 'WEBGL_MAX_TEXTURE_SIZE');
}
