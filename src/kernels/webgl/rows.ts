import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import { fourDimensions, isHalf, type Part, packed, quads, run, type WebGLBackend } from './backend';
import { CLASSES_IN_ONE_PASS, HALF_SUM_SCALE, TEXELS_AT_ONCE } from './constants';
import { type Layout, layoutOf } from './layouts';

/** Tensors of the rows' shape, by the names that the shader knows them by. */
type Dense = Readonly<Record<string, TensorInfo>>;

/** What is found along the classes of each row. */
interface Along {
  /** Of the dense input `x`: `maximum`, and `sumExp`, the sum of exp(x - maximum), NaN where there is no softmax. */
  readonly softmax?: boolean;
  /**
   * `sums`, the totals of the two lanes that `void addends(int row, Lane classes, Lane dense..., out Lane, out Lane)`
   * gives. It gets `x - maximum` for `x`; the first must then be a multiple of it, and the second the factor.
   */
  readonly addends?: boolean;
}

/** The rows of a tensor: what programs over them are made of. */
export class Rows {
  readonly count: number;
  private readonly classes: number;
  private readonly layout: Layout;
  private readonly part: Part;

  constructor(
    readonly backend: WebGLBackend,
    private readonly shape: readonly number[],
    dim: number,
  ) {
    const { outer, classes, rows } = classView(shape, dim);
    const [, planes, height, width] = fourDimensions(shape);
    this.count = rows;
    this.classes = classes;
    this.layout = layoutOf(Math.max(1, shape.length) - dim);
    const planesPerClass = this.layout.classesInPlane ? 1 : planes / (outer * classes);
    this.part = {
      uniforms: { view: ['ivec4', classes, planesPerClass, height, width] },
      code: rowsCode(this.layout),
    };
  }

  /** A tensor like the rows' own, of the lanes `laneAt(row, classes, dense...)`. */
  map(dense: Dense, ...parts: Part[]): TensorInfo {
    const { firstClass, firstRow, lanes } = this.layout;
    const names = Object.keys(dense);
    const results = lanes.map(([lane, row]) => {
      const values = names.map((name) => `${name}Here.${lane}`);
      return `result.${lane} = laneAt(${[row, 'classes', ...values].join(', ')});`;
    });
    const main = `
      int plane = outTexel() / TEXELS_IN_PLANE;
      int inPlane = outTexel() - plane * TEXELS_IN_PLANE;
      int y = inPlane / TEXELS_ACROSS;
      int x = 2 * (inPlane - y * TEXELS_ACROSS);
      y *= 2;
      Lane classes = classesFrom(${firstClass});
      int row = ${firstRow};
      ${names.map((name) => `vec4 ${name}Here = ${name}Texel(outTexel());`).join('\n')}
      vec4 result;
      ${results.join('\n')}
      // Padding must be 0: TensorFlow.js's matMul adds it up.
      bool right = x + 1 < WIDTH;
      bool below = y + 1 < HEIGHT;
      setOutput(vec4(result.x, right ? result.y : 0., below ? result.z : 0., right && below ? result.w : 0.));`;
    return this.run(this.shape, [{ inputs: packedAll(dense) }, ...parts], main);
  }

  /** A texel a row, `recordOf(row)`; the row is located then. */
  each(dense: Dense, ...parts: Part[]): TensorInfo {
    const main = `
      locate(outTexel());
      setOutput(recordOf(outTexel()));`;
    return this.run([this.count, 2, 2], [{ inputs: packedAll(dense) }, ...parts], main);
  }

  /** The same, with what is found along the row. */
  reduce(dense: Dense, along: Along, ...parts: Part[]): TensorInfo {
    const steps = Math.ceil(this.classes / this.layout.classesInTexel);
    const chunks = this.classes <= CLASSES_IN_ONE_PASS ? 1 : Math.ceil(Math.sqrt(steps));
    const walk: Part[] = [{ code: FOUND }, ...parts, { code: walkCode(Object.keys(dense), along) }];
    if (chunks === 1) {
      const main = `
        locate(outTexel());
        walk(outTexel(), 0, STEPS);
        ${along.softmax ? 'checkSoftmax();' : ''}
        setOutput(recordOf(outTexel()));`;
      return this.run([this.count, 2, 2], [{ inputs: packedAll(dense) }, ...walk], main);
    }
    const cut: Part = {
      uniforms: { chunks: ['int', chunks], chunkSteps: ['int', Math.ceil(steps / chunks)] },
    };
    const partialMain = `
      int row = outTexel() / chunks;
      int begin = (outTexel() - row * chunks) * chunkSteps;
      locate(row);
      walk(row, begin, min(begin + chunkSteps, STEPS));
      setOutput(vec4(maximum, sumExp * SUM_SCALE, sums));`;
    const partials = this.run([this.count * chunks, 2, 2], [{ inputs: packedAll(dense) }, ...walk, cut], partialMain);
    const main = `
      locate(outTexel());
      for (int i = outTexel() * chunks; i < (outTexel() + 1) * chunks; i++) {
        vec4 other = partialsTexel(i);
        merge(other.x, other.y / SUM_SCALE, other.zw);
      }
      ${along.softmax ? 'checkSoftmax();' : ''}
      setOutput(recordOf(outTexel()));`;
    const inputs = { ...packedAll(dense), partials: quads(partials) };
    const record = this.run([this.count, 2, 2], [{ inputs }, ...walk, cut], main);
    this.backend.disposeIntermediateTensorInfo(partials);
    return record;
  }

  private run(outputShape: readonly number[], parts: Part[], main: string): TensorInfo {
    return run(this.backend, outputShape, this.part, ...parts, { code: `void main() { ${main} }` });
  }
}

function packedAll(dense: Dense): Dense {
  return Object.fromEntries(Object.entries(dense).map(([name, tensor]) => [name, packed(tensor)]));
}

function rowsCode({ laneType, classesInTexel, classes, locate, lane }: Layout): string {
  return `
    #define Lane ${laneType}
    #define CLASSES view[0]
    #define PLANES view[1]
    #define HEIGHT view[2]
    #define WIDTH view[3]
    #define TEXELS_ACROSS ((WIDTH + 1) / 2)
    #define TEXELS_IN_PLANE ((HEIGHT + 1) / 2 * TEXELS_ACROSS)
    #define STEPS ((CLASSES + ${classesInTexel - 1}) / ${classesInTexel})
    const float SUM_SCALE = float(${isHalf() ? HALF_SUM_SCALE : 1});

    Lane classesFrom(int first) { return ${classes}; }
    Lane classesAt(int step) { return classesFrom(step * ${classesInTexel}); }

    // Of the row that this fragment looks at: its texels, and which lane of them.
    int firstTexel, stride, part;
    void locate(int row) { ${locate} }
    int texelOf(int step) { return firstTexel + step * stride; }
    Lane laneOf(vec4 texel) { return ${lane}; }

    // The texel and the element of its lane that hold a class.
    int texelOfClass(int c) { return texelOf(c / ${classesInTexel}); }
    float ofClass(float lane, int c) { return lane; }
    float ofClass(vec2 lane, int c) { return c % 2 == 0 ? lane.x : lane.y; }

    // What is no class any more.
    float present(float lane, float classes, float absent) { return lane; }
    vec2 present(vec2 lane, vec2 classes, float absent) {
      return classes.y < float(CLASSES) ? lane : vec2(lane.x, absent);
    }

    // A value at one class, 0 elsewhere.
    float only(float classes, float c, float value) { return classes == c ? value : 0.; }
    vec2 only(vec2 classes, float c, float value) {
      return vec2(only(classes.x, c, value), only(classes.y, c, value));
    }`;
}

const FOUND = `
  float maximum = LOWEST;
  float sumExp = 0.;
  vec2 sums = vec2(0.);

  void merge(float otherMaximum, float otherSumExp, vec2 otherSums) {
    float higher = max(maximum, max(otherMaximum, LOWEST)); // half floats have -Infinity for LOWEST
    float own = max(maximum - higher, LOWEST);
    float other = max(max(otherMaximum, LOWEST) - higher, LOWEST);
    sumExp = sumExp * expOf(own) + otherSumExp * expOf(other);
    sums = vec2(sums.x + sums.y * own + (otherSums.x + otherSums.y * other), sums.y + otherSums.y);
    maximum = higher;
  }

  // Nothing but -Infinity has no softmax either.
  void checkSoftmax() { if (sumExp == 0.) sumExp = NAN; }`;

/**
 * `walk(row, begin, end)`: what is found along these texels of a row, a few at a time. NaN and +Infinity are found by a
 * sum of all elements, small enough not to overflow by itself.
 */
function walkCode(names: string[], { softmax, addends }: Along): string {
  const eachTexel = (body: string) => `
    for (int j = 0; j < ${TEXELS_AT_ONCE}; j++) {
      if (i + j < end) {
        Lane classes = classesAt(i + j);
        ${body}
      }
    }`;
  const lane = (name: string) => `laneOf(${name}Texel(texelOf(i + j)))`;
  const findMaximum = `
    x[j] = present(${lane('x')}, classes, -INF);
    probe += x[j] * 1e-6;
    high = max(high, largest(x[j]));`;
  const values = names.map((name) => (softmax && name === 'x' ? 'x[j]' : lane(name)));
  const add = `
    Lane first, second;
    addends(${['row', 'classes', ...values].join(', ')}, first, second);
    a += present(first, classes, 0.);
    b += present(second, classes, 0.);`;
  return `
    void walk(int row, int begin, int end) {
      Lane probe = Lane(0.);
      for (int i = begin; i < end; i += ${TEXELS_AT_ONCE}) {
        float high = LOWEST;
        Lane x[${TEXELS_AT_ONCE}];
        Lane exps = Lane(0.), a = Lane(0.), b = Lane(0.);
        ${softmax ? eachTexel(findMaximum) : ''}
        ${softmax ? eachTexel('x[j] -= high; exps += expOf(x[j]);') : ''}
        ${addends ? eachTexel(add) : ''}
        merge(high, total(exps), vec2(total(a), total(b)));
      }
      if (isNaN(total(probe)) || total(probe) == INF) sumExp = NAN;
    }`;
}
