import { type DataId, env, type TensorInfo } from '@tensorflow/tfjs-core';
import { HALF_SUM_SCALE } from './constants';

/** What we use of TensorFlow.js's `webgl` backend. */
export interface WebGLBackend {
  readonly texData: { get(dataId: DataId): { readonly values: ArrayLike<number> | null } };
  compileAndRun(
    program: object,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniformValues: number[][],
    preventEagerUnpackingOfOutput: boolean,
  ): TensorInfo;
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  disposeIntermediateTensorInfo(tensor: TensorInfo): void;
}

/** A type and its components. */
type Uniform = readonly [type: 'float' | 'int' | 'ivec2' | 'ivec4', ...values: number[]];

/** A piece of a shader: what it reads, and the GLSL functions that it adds. */
export interface Part {
  readonly inputs?: Readonly<Record<string, TensorInfo>>;
  /** Everything that varies from call to call: what stands in the code makes for a program of its own. */
  readonly uniforms?: Readonly<Record<string, Uniform>>;
  readonly code?: string;
}

/**
 * Runs the shader that the parts make up. The last one has the `main`.
 *
 * TensorFlow.js packs 2 x 2 elements of the last two dimensions into a texel, and all inputs must be packed if one is.
 * We address texels ourselves: its samplers come in many variants, each a program to compile, and read a packed
 * `[1, p, q]` with the variant of another shape. Hence every shape is given as four dimensions, see `packed`.
 */
export function run(backend: WebGLBackend, outputShape: readonly number[], ...parts: Part[]): TensorInfo {
  return { ...execute(backend, fourDimensions(outputShape), SHARED_BATCH, parts), shape: [...outputShape] };
}

/** The same for an output of texels with four numbers each, `[texels, 2, 2]`; see `quads`. */
export function runQuads(backend: WebGLBackend, texels: number, ...parts: Part[]): TensorInfo {
  return { ...execute(backend, [1, texels, 2, 2], DENSE, parts), shape: [texels, 4] };
}

/**
 * TensorFlow.js's packing schemes. Texels of four numbers lie in the same order in both, but the texture is a square
 * with DENSE and a column of single texels otherwise, and GPUs draw in blocks of 2 x 2 texels or more.
 */
const DENSE = 0;
const SHARED_BATCH = 1;

function execute(backend: WebGLBackend, outputShape: number[], outPackingScheme: number, parts: Part[]): TensorInfo {
  checkSize(outputShape);
  const inputs: Record<string, TensorInfo> = Object.assign({}, ...parts.map((part) => part.inputs));
  const uniforms: Record<string, Uniform> = Object.assign({}, ...parts.map((part) => part.uniforms));
  const program = {
    variableNames: Object.keys(inputs),
    customUniforms: Object.entries(uniforms).map(([name, [type]]) => ({ name, type })),
    outputShape,
    outPackingScheme,
    packedInputs: true,
    packedOutput: true,
    enableShapeUniforms: true,
    userCode: [prelude(), ...Object.keys(inputs).map(accessors), ...parts.map((part) => part.code ?? '')].join('\n'),
  };
  const values = Object.values(uniforms).map(([, ...components]) => components);
  return backend.compileAndRun(program, Object.values(inputs), 'float32', values, true);
}

/** A tensor as it lies in its texture: the last two dimensions are planes of 2 x 2 elements a texel. */
export function packed(tensor: TensorInfo): TensorInfo {
  return { ...tensor, shape: fourDimensions(tensor.shape) };
}

/** A tensor as a vector, two elements a texel. Free for what is on the CPU or has one dimension, else a small copy. */
export function flat(tensor: TensorInfo): TensorInfo {
  return { ...tensor, shape: [1, 1, 1, size(tensor.shape)] };
}

/** `[texels, 2, 2]` or `[texels, 4]`: four numbers in a texel each. */
export function quads(tensor: TensorInfo): TensorInfo {
  return { ...tensor, shape: [1, tensor.shape[0], 2, 2] };
}

/** A scalar, read by `<name>Value(0)`: a uniform if its value is at hand, since an upload would be one program more. */
export function scalar(backend: WebGLBackend, name: string, tensor: TensorInfo): Part {
  const { values } = backend.texData.get(tensor.dataId);
  if (values == null) return { inputs: { [name]: flat(tensor) } };
  return {
    uniforms: { [`${name}Uniform`]: ['float', values[0]] },
    code: `float ${name}Value(int i) { return ${name}Uniform; }`,
  };
}

/** Whether textures hold half floats. */
export const isHalf = (): boolean => !env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');

export function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

export function fourDimensions(shape: readonly number[]): [number, number, number, number] {
  const [p, q] = [1, 1, ...shape].slice(-2);
  return [1, size(shape.slice(0, -2)), p, q];
}

/** Throws where TensorFlow.js would fail deep inside, naming a texture that nobody asked for. */
export function checkSize(shape: readonly number[]): void {
  const [, planes, p, q] = fourDimensions(shape);
  const limit = env().getNumber('WEBGL_MAX_TEXTURE_SIZE');
  const side = Math.ceil(Math.sqrt(planes * Math.ceil(p / 2) * Math.ceil(q / 2)));
  if (side <= limit) return;
  throw new Error(
    `A tensor of shape [${shape.join(', ')}] needs a texture of ${side} x ${side} texels, but this device's limit ` +
      `(WEBGL_MAX_TEXTURE_SIZE) is ${limit}. Use smaller batches, or linearCrossEntropy with a batchChunkSize.`,
  );
}

/** `<name>Texel(i)`, the texel `i` of an input, and `<name>Value(i)`, element `i` of a `flat` one. */
function accessors(name: string): string {
  return `
    vec4 ${name}Texel(int i) { return texel(${name}, (${name}TexShape[1] + 1) >> 1, i); }
    float ${name}Value(int i) { vec4 pair = ${name}Texel(i >> 1); return (i & 1) == 0 ? pair.x : pair.y; }`;
}

/**
 * Not every driver's NaN is IEEE 754's: comparisons of bits can be trusted, products and sums too, but exp(-Infinity),
 * exp(NaN), log(0) and max(x, NaN) cannot.
 */
const prelude = () => `
  const float LOWEST = -3.4028234e38;
  const float INF = uintBitsToFloat(0x7f800000u);

  const float SUM_SCALE = float(${isHalf() ? HALF_SUM_SCALE : 1});

  bool isNaN(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }

  float quotient(float a, float b) {
    if (b != 0.) return a / b;
    return isNaN(a) || isNaN(b) || a == 0. ? NAN : a > 0. ? INF : -INF;
  }

  // exp(x) for x <= 0.
  float expOf(float x) { return x > -104. ? exp(x) : 0.; }
  vec2 expOf(vec2 x) { return mix(vec2(0.), exp(x), greaterThan(x, vec2(-104.))); }
  vec4 expOf(vec4 x) { return mix(vec4(0.), exp(x), greaterThan(x, vec4(-104.))); }

  float logOf(float x) { return isNaN(x) ? NAN : log(x); }

  // A product that is 0 where the coefficient is, also if x is not finite.
  float times(float coefficient, float x) { return coefficient == 0. ? 0. : coefficient * x; }
  vec2 times(vec2 coefficient, vec2 x) { return vec2(times(coefficient.x, x.x), times(coefficient.y, x.y)); }

  float total(float x) { return x; }
  float total(vec2 x) { return x.x + x.y; }
  float largest(float x) { return x; }
  float largest(vec2 x) { return max(x.x, x.y); }

  vec4 texel(sampler2D source, int width, int i) {
    int y = i / width;
    return texelFetch(source, ivec2(i - y * width, y), 0);
  }

  // The number of this fragment's texel.
  int outTexel() { return int(gl_FragCoord.y) * ((outTexShape[1] + 1) >> 1) + int(gl_FragCoord.x); }
`;
