import { type DataId, env, type TensorInfo, version_core } from '@tensorflow/tfjs-core';
import { type Code, linked } from '../gpu/code';
import { checkSize, type GpuBackend, powerOfTwo, signature, type Uniforms, uniformsOf } from '../gpu/device';
import { GLSL, NUMBERS } from '../gpu/language';

/** What we use of TensorFlow.js's `webgl` backend. */
export interface WebGLBackend extends GpuBackend {
  readonly texData: { get(dataId: DataId): TextureData };
  /** How many tensors, if more than one, lie in the texture of one. */
  readonly dataRefCount: WeakMap<DataId, number>;
  runWebGLProgram(
    program: object,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniformValues: number[][],
    preventEagerUnpackingOfOutput: boolean,
    texels?: Texels,
  ): TensorInfo;
}

interface TextureData {
  readonly values: Int32Array | Float32Array | null;
  readonly isPacked?: boolean;
  shape: readonly number[];
  /** Twice the texels that a packed texture has in each direction. */
  readonly texShape?: readonly [height: number, width: number] | null;
}

/** The size of a texture. */
export type Texels = [height: number, width: number];

interface Program extends Uniforms {
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
  { packed = true, texels }: { packed?: boolean; texels?: Texels } = {},
): TensorInfo {
  checkTexture(shape);
  const { text, inputs } = linked(program.main);
  const uniforms = uniformsOf(program);
  const tensors: Record<string, TensorInfo> = {};
  const temporary: TensorInfo[] = [];
  const here = (tensor: TensorInfo) =>
    texels && `${texelsOf(backend, tensor)}` === `${texels}` ? 'ivec2(gl_FragCoord.xy)' : undefined;
  const accessors = inputs.map(([name, { tensor, type, isDense }]) => {
    checkTexture(tensor.shape);
    const length = size(tensor.shape);
    const { values, texShape } = backend.texData.get(tensor.dataId);
    const add = (shape: number[], i: string, type: string, value: string, dataId = tensor.dataId) => {
      tensors[name] = { dataId, dtype: 'float32', shape };
      return `${type} ${name}At(int i) { vec4 t = texel(${name}, ${i}, ${name}TexShape[1]); return ${value}; }`;
    };
    if (isDense) return add(fourDimensions(tensor.shape), 'i', 'vec4', 't') + along(name, here(tensor));
    if (type === 'vec4f') {
      const bits = Math.log2((texShape?.[1] ?? 0) / 2);
      const general = add([1, tensor.shape[0], 2, 2], 'i', 'vec4', 't');
      if (!Number.isInteger(bits)) return general;
      uniforms.push({ name: `${name}Bits`, type: 'int', value: bits });
      return `vec4 ${name}At(int i) {
  return texelFetch(${name}, ivec2(i & ((1 << ${name}Bits) - 1), i >> ${name}Bits), 0);
}`;
    }
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
      const parts = backend.makeTensorInfo([length, 2, 2], 'float32', bytes);
      temporary.push(parts);
      return add(
        [1, length, 2, 2],
        'i',
        type,
        'int(t.x) | int(t.y) << 8 | int(t.z) << 16 | int(t.w) << 24',
        parts.dataId,
      );
    }
    return add([1, 1, 1, length], 'i >> 1', type, 'int(min(t[i & 1], 2147483520.))');
  });
  const result = backend.runWebGLProgram(
    {
      variableNames: Object.keys(tensors),
      customUniforms: uniforms,
      outputShape: fourDimensions(shape),
      outPackingScheme: texels ? 0 : 1,
      packedInputs: true,
      packedOutput: packed,
      enableShapeUniforms: true,
      userCode: [
        GLSL,
        TEXELS,
        outTexel(packed ? '((outTexShape[1] + 1) >> 1)' : 'outTexShape[1]'),
        program.layout,
        ...accessors,
        ...(program.layout ? [start(inputs.filter(([, { isDense }]) => isDense).map(([name]) => name))] : []),
        NUMBERS,
        text,
        signature(uniforms),
      ].join('\n'),
    },
    Object.values(tensors),
    'float32',
    uniforms.map(({ value }) => [value]),
    true,
    texels,
  );
  for (const { dataId } of temporary) backend.disposeData(dataId);
  return { ...result, shape: [...shape] };
}

/**
 * The same for an output of texels with four numbers each. TensorFlow.js would make a column of single texels of it,
 * where GPUs draw blocks of 2 x 2 or more. It reads a rectangle in the same order; where that is as wide as a power of
 * two no number has to be divided to find a texel.
 */
export function runQuads(backend: WebGLBackend, texels: number, program: Program): TensorInfo {
  const wide = powerOfTwo(Math.sqrt(texels));
  return { ...run(backend, [texels, 2, 2], program, { texels: [Math.ceil(texels / wide), wide] }), shape: [texels, 4] };
}

/** Not in TensorFlow.js 4.0, which releases a shared texture once too often when its first tensor has been read. */
export const canShareTextures = (version_core as string) !== '4.0.0';

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
// Integers are slow to divide. The quotient of floats is put right by what it leaves.
ivec2 place(int i, int wide) {
  int y = int(float(i) / float(wide));
  y += int(floor((float(i - y * wide) + 0.5) / float(wide)));
  return ivec2(i - y * wide, y);
}

vec4 texel(sampler2D source, int i, int columns) { return texelFetch(source, place(i, (columns + 1) >> 1), 0); }
`;

/** The number of this fragment's texel. */
const outTexel = (columns: string) =>
  `int outTexel() { return int(gl_FragCoord.y) * ${columns} + int(gl_FragCoord.x); }`;

/** An element, and those of four classes of the row that was started. */
const along = (name: string, here?: string) => /* glsl */ `
float ${name}Of(int row, int c) { int i = texelOf(row, c); return ${name}At(i)[part]; }
ivec2 ${name}Place, ${name}Step;
void ${name}Start(int i) {
  int wide = (${name}TexShape[1] + 1) >> 1;
  ${name}Place = place(i, wide);
  ${name}Step = place(stride, wide);
}
vec4 ${name}Texel() {
  vec4 t = texelFetch(${name}, ${name}Place, 0);
  ${name}Place += ${name}Step;
  int wide = (${name}TexShape[1] + 1) >> 1, over = int(${name}Place.x >= wide);
  ${name}Place += over * ivec2(-wide, 1);
  return t;
}
vec4 ${name}Next(int c) { return FOUR(${name}Texel()); }
vec4 ${name}Here() { return ${here ? `texelFetch(${name}, ${here}, 0)` : `${name}At(outTexel())`}; }`;

const start = (names: string[]) =>
  `void start(int row, int begin) { int i = texelOf(row, begin); ${names.map((name) => `${name}Start(i);`).join(' ')} }`;

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** With the planes of 2 x 2 elements a texel as the last two. */
export function fourDimensions(shape: readonly number[]): number[] {
  return [1, size(shape.slice(0, -2)), ...[1, 1, ...shape].slice(-2)];
}

/** The size of a tensor's texture, if it has one that programs read as it is. */
export function texelsOf(backend: WebGLBackend, tensor: TensorInfo): Texels | undefined {
  const { isPacked, texShape, shape } = backend.texData.get(tensor.dataId);
  const plane = (shape: readonly number[]) => `${fourDimensions(shape).slice(-2)}`;
  if (!isPacked || !texShape || plane(shape) !== plane(tensor.shape)) return undefined;
  return [Math.ceil(texShape[0] / 2), Math.ceil(texShape[1] / 2)];
}

/** Before an upload fails, which knows no remedy. */
function checkTexture(shape: readonly number[]): void {
  const [, planes, height, width] = fourDimensions(shape);
  const side = Math.ceil(Math.sqrt(planes * Math.ceil(height / 2) * Math.ceil(width / 2)));
  checkSize(shape, side, env().getNumber('WEBGL_MAX_TEXTURE_SIZE'), 'WEBGL_MAX_TEXTURE_SIZE');
}
