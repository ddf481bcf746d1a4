import { type DataId, env, type TensorInfo } from '@tensorflow/tfjs-core';
import { type GpuBackend, read, tooLarge } from '../gpu/device';
import { GLSL, NUMBERS } from '../gpu/language';
import { HALF_LABEL_PART } from './constants';

/** What we use of TensorFlow.js's `webgl` backend. */
export interface WebGLBackend extends GpuBackend {
  readonly texData: { get(dataId: DataId): { readonly values: ArrayLike<number> | null } };
  compileAndRun(
    program: object,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniformValues: number[][],
    preventEagerUnpackingOfOutput: boolean,
  ): TensorInfo;
}

type Named<T> = Readonly<Record<string, T>>;

export interface Program {
  readonly code: string;
  /** Read by texels, as they are; see `rows.ts`. */
  readonly dense?: Named<TensorInfo>;
  /** Element `i` is `<name>At(i)`. */
  readonly sparse?: Named<TensorInfo>;
  /** Texel `i`, four numbers, is `<name>At(i)`. */
  readonly quads?: Named<TensorInfo>;
  /** Everything that varies from call to call: what stands in the code makes for a program of its own. */
  readonly ints?: Named<number>;
  readonly floats?: Named<number>;
}

/** Whether textures hold half floats. */
export const isHalf = (): boolean => !env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');

/**
 * TensorFlow.js packs 2 x 2 elements of the last two dimensions into a texel, and all inputs must be packed if one is.
 * We address texels ourselves: its samplers come in many variants, each a program to compile, and read a packed
 * `[1, p, q]` with the variant of another shape. Hence every shape is given as four dimensions.
 */
export function run(backend: WebGLBackend, shape: readonly number[], program: Program, scheme = 1): TensorInfo {
  checkSize(shape);
  const { code, dense = {}, sparse = {}, quads = {}, ints = {}, floats = {} } = program;
  const inputs: Record<string, TensorInfo> = {};
  const uniforms: [name: string, type: string, value: number][] = [];
  const accessors: string[] = [];
  const temporary: TensorInfo[] = [];
  const add = (name: string, tensor: TensorInfo, shape: number[], at = '') => {
    inputs[name] = { ...tensor, shape };
    accessors.push(`#define ${name}Wide ((${name}TexShape[1] + 1) >> 1)`, at);
  };

  for (const [name, tensor] of Object.entries(dense)) add(name, tensor, fourDimensions(tensor.shape));
  for (const [name, tensor] of read(code, quads)) {
    add(name, tensor, [1, tensor.shape[0], 2, 2], `vec4 ${name}At(int i) { return texel(${name}, i, ${name}Wide); }`);
  }
  for (const [name, tensor] of read(code, sparse)) {
    const length = size(tensor.shape);
    const { values } = backend.texData.get(tensor.dataId);
    const texelAt = (i: string) => `float ${name}At(int i) { vec4 t = texel(${name}, ${i}, ${name}Wide); return`;
    if (values && length === 1) {
      uniforms.push([`${name}Value`, 'float', values[0]]); // an upload would be one program more
      accessors.push(`#define ${name}At(i) ${name}Value`);
    } else if (values && tensor.dtype === 'int32' && isHalf()) {
      const parts = Float32Array.from({ length: 4 * length }, (_, i) =>
        i % 4 ? Math.floor(values[i >> 2] / HALF_LABEL_PART) : values[i >> 2] & (HALF_LABEL_PART - 1),
      );
      temporary.push(backend.makeTensorInfo([length, 2, 2], 'float32', parts));
      add(name, temporary[0], [1, length, 2, 2], `${texelAt('i')} t.x + t.y * ${HALF_LABEL_PART}.; }`);
    } else {
      add(name, tensor, [1, 1, 1, length], `${texelAt('i >> 1')} (i & 1) == 0 ? t.x : t.y; }`);
    }
  }
  for (const [name, value] of Object.entries(ints)) uniforms.push([name, 'int', value]);
  for (const [name, value] of Object.entries(floats)) uniforms.push([name, 'float', value]);

  const result = backend.compileAndRun(
    {
      variableNames: Object.keys(inputs),
      customUniforms: uniforms.map(([name, type]) => ({ name, type })),
      outputShape: fourDimensions(shape),
      outPackingScheme: scheme,
      packedInputs: true,
      packedOutput: true,
      enableShapeUniforms: true,
      userCode: [GLSL, TEXELS, ...accessors, NUMBERS, code].join('\n'),
    },
    Object.values(inputs),
    'float32',
    uniforms.map(([, , value]) => [value]),
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
  return { ...run(backend, [texels, 2, 2], program, 0), shape: [texels, 4] };
}

const TEXELS = /* glsl */ `
ivec2 place(int i, int wide) { int y = i / wide; return ivec2(i - y * wide, y); }
vec4 texel(sampler2D source, int i, int wide) { return texelFetch(source, place(i, wide), 0); }

// The number of this fragment's texel.
int outTexel() { return int(gl_FragCoord.y) * ((outTexShape[1] + 1) >> 1) + int(gl_FragCoord.x); }
`;

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** With the planes of 2 x 2 elements a texel as the last two. */
export function fourDimensions(shape: readonly number[]): number[] {
  return [1, size(shape.slice(0, -2)), ...[1, 1, ...shape].slice(-2)];
}

/** Throws where TensorFlow.js would fail deep inside, naming a texture that nobody asked for. */
export function checkSize(shape: readonly number[]): void {
  const [, planes, height, width] = fourDimensions(shape);
  const limit = env().getNumber('WEBGL_MAX_TEXTURE_SIZE');
  const side = Math.ceil(Math.sqrt(planes * Math.ceil(height / 2) * Math.ceil(width / 2)));
  if (side > limit) throw tooLarge(shape, `a texture of ${side} x ${side} texels`, `${limit} (WEBGL_MAX_TEXTURE_SIZE)`);
}
