import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import { checkSize, fourDimensions, type Part, packed, quads, run, runQuads, type WebGLBackend } from './backend';
import { CLASSES_IN_ONE_PASS, TEXELS_AT_ONCE } from './constants';
import { type Layout, layoutCode, layoutOf } from './layouts';

/** Tensors of the rows' shape, by the names that the shader knows them by. */
type Dense = Readonly<Record<string, TensorInfo>>;

/** What is found along the classes of each row. */
export interface Along {
  /** Of the dense input `x`: `maximum`, and `sumExp`, the sum of exp(x - maximum), NaN where there is no softmax. */
  readonly softmax?: boolean;
  /**
   * `sums`, the totals of the two lanes that `void addends(vec4 classes, vec4 dense..., out vec4, out vec4)` gives. It
   * gets `x - maximum` for `x`; the first must then be a multiple of it, and the second the factor.
   */
  readonly addends?: boolean;
}

/** The rows of a tensor: what programs over them are made of. */
export class Rows {
  private readonly rows: number;
  private readonly pairs: number;
  private readonly classes: number;
  private readonly layout: Layout;
  private readonly part: Part;

  constructor(
    readonly backend: WebGLBackend,
    private readonly shape: readonly number[],
    dim: number,
  ) {
    checkSize(shape); // before an upload fails, which knows no remedy
    const { classes, inner, rows } = classView(shape, dim);
    const [, planes, height, width] = fourDimensions(shape);
    this.rows = rows;
    this.classes = classes;
    this.layout = layoutOf(Math.max(1, shape.length) - dim);
    this.pairs = this.layout.pairs(planes, classes, height, width);
    const planesOfClass = Math.max(1, Math.floor(inner / (height * width)));
    this.part = { uniforms: { view: ['ivec4', classes, planesOfClass, height, width] }, code: layoutCode(this.layout) };
  }

  /** A tensor like the rows' own, of the lanes `laneAt(row, classes, dense...)`. */
  map(dense: Dense, ...parts: Part[]): TensorInfo {
    const { firstClass, firstRow, lanes } = this.layout;
    const names = Object.keys(dense);
    const results = Object.entries(lanes).map(([lane, row]) => {
      const values = names.map((name) => `${name}Here.${lane}`);
      return `result.${lane} = laneAt(${[row, 'classes', ...values].join(', ')});`;
    });
    const main = `
      int i = outTexel();
      int plane = i / TEXELS_IN_PLANE;
      int inPlane = i - plane * TEXELS_IN_PLANE;
      int y = inPlane / TEXELS_ACROSS;
      int x = (inPlane - y * TEXELS_ACROSS) << 1;
      y <<= 1;
      Lane classes = classesFrom(${firstClass});
      int row = ${firstRow};
      ${names.map((name) => `vec4 ${name}Here = ${name}Texel(i);`).join('\n')}
      vec4 result;
      ${results.join('\n')}
      // Padding must be 0: TensorFlow.js's matMul adds it up.
      bvec2 more = lessThan(ivec2(x, y) + 1, ivec2(WIDTH, HEIGHT));
      setOutput(mix(vec4(0.), result, bvec4(true, more.x, more.y, more.x && more.y)));`;
    return run(this.backend, this.shape, this.part, packedAll(dense), ...parts, { code: inMain(main) });
  }

  /** A texel a row, `recordOf(row)`; the row is located then. */
  each(dense: Dense, ...parts: Part[]): TensorInfo {
    const main = `
      locate(pairOf(outTexel()));
      setOutput(recordOf(outTexel()));`;
    return this.perRow(this.rows, packedAll(dense), ...parts, { code: inMain(main) });
  }

  /** The same, with what is found along the row. */
  reduce(dense: Dense, along: Along, ...parts: Part[]): TensorInfo {
    const steps = Math.ceil(this.classes / this.layout.classesInTexel);
    const all: Part[] = [packedAll(dense), { code: FOUND }, ...parts, { code: this.walk(Object.keys(dense), along) }];
    const result = `
      ${along.softmax ? 'if (sumExp == 0.) sumExp = NAN; // nothing but -Infinity' : ''}
      setOutput(recordOf(outTexel()));`;
    if (this.classes <= CLASSES_IN_ONE_PASS) {
      const main = `
        locate(pairOf(outTexel()));
        walk(0, STEPS);
        take(part);
        ${result}`;
      return this.perRow(this.rows, ...all, { code: inMain(main) });
    }
    // Each texel of the partial results is a chunk of two rows, or of one where there are sums.
    const paired = !along.addends;
    const chunks = Math.ceil(Math.sqrt(steps));
    const cut: Part = { uniforms: { chunks: ['int', chunks], chunkSteps: ['int', Math.ceil(steps / chunks)] } };
    const partialMain = `
      int i = outTexel() / chunks;
      int begin = (outTexel() - i * chunks) * chunkSteps;
      locate(${paired ? 'i' : 'pairOf(i)'});
      walk(begin, min(begin + chunkSteps, STEPS));
      take(${paired ? '1' : 'part'});
      vec2 last = ${paired ? 'vec2(maximum, sumExp * SUM_SCALE)' : 'sums'};
      ${paired ? 'take(0);' : ''}
      setOutput(vec4(maximum, sumExp * SUM_SCALE, last));`;
    const texels = (paired ? this.pairs : this.rows) * chunks;
    const partials = this.perRow(texels, ...all, cut, { code: inMain(partialMain) });
    const main = `
      int pair = pairOf(outTexel());
      locate(pair);
      int first = ${paired ? 'pair' : 'outTexel()'} * chunks;
      for (int i = first; i < first + chunks; i++) {
        vec4 partial = partialsTexel(i);
        ${paired ? 'if (part == 1) partial.xy = partial.zw;' : ''}
        merge(partial.x, partial.y / SUM_SCALE, ${paired ? 'vec2(0.)' : 'partial.zw'});
      }
      ${result}`;
    const record = this.perRow(this.rows, ...all, cut, {
      inputs: { partials: quads(partials) },
      code: inMain(main),
    });
    this.backend.disposeIntermediateTensorInfo(partials);
    return record;
  }

  private perRow(texels: number, ...parts: Part[]): TensorInfo {
    return runQuads(this.backend, texels, this.part, ...parts);
  }

  /**
   * `walk(begin, end)`: what is found along these texels of a pair, by element of the texel. The loop is unrolled, since
   * not every driver does it. NaN and +Infinity show in a sum of all elements, scaled so as not to overflow by itself.
   */
  private walk(names: string[], { softmax, addends }: Along): string {
    const { classesInTexel, lanes } = this.layout;
    const texels = Array.from({ length: TEXELS_AT_ONCE }, (_, j) => j);
    const each = (code: (j: number) => string, separator = '\n') => texels.map(code).join(separator);
    const add = (j: number) => `
      vec4 first${j}, second${j};
      Lane laneClasses${j} = classesFrom((i + ${j}) * ${classesInTexel});
      ${names.map((name) => (name === 'x' && softmax ? '' : `vec4 ${name}${j} = ${name}Texel(texelAt(i + ${j}));`)).join('\n')}
      ${Object.keys(lanes)
        .map((lane) => {
          const values = names.map((name) => `${name}${j}.${lane}`);
          return `addends(${[`laneClasses${j}`, ...values, `first${j}.${lane}`, `second${j}.${lane}`].join(', ')});`;
        })
        .join('\n')}
      firsts += mix(vec4(0.), first${j}, present${j});
      seconds += mix(vec4(0.), second${j}, present${j});`;
    const softmaxOf = `
      ${each((j) => `vec4 x${j} = mix(vec4(-INF), xTexel(texelAt(i + ${j})), present${j});`)}
      probe += ${each((j) => `x${j} * 1e-6`, ' + ')};
      vec4 high = max(highs, ${each((j) => `max(x${j}, `, '')}highs${')'.repeat(TEXELS_AT_ONCE)});
      ${each((j) => `x${j} -= high;`)}
      vec4 fall = max(highs - high, LOWEST);
      exps = exps * expOf(fall) + (${each((j) => `expOf(x${j})`, ' + ')});
      firsts += seconds * fall;
      highs = high;`;
    return `
      void walk(int begin, int end) {
        float limit = float(min(CLASSES, end * ${classesInTexel}));
        for (int i = begin; i < end; i += ${TEXELS_AT_ONCE}) {
          ${each((j) => `bvec4 present${j} = lessThan(classesAt(i + ${j}), vec4(limit));`)}
          ${softmax ? softmaxOf : ''}
          ${addends ? each(add) : ''}
        }
      }`;
  }
}

const inMain = (code: string) => `void main() { ${code} }`;

const packedAll = (dense: Dense): Part => ({
  inputs: Object.fromEntries(Object.entries(dense).map(([name, tensor]) => [name, packed(tensor)])),
});

/** What is found along a row: by element of its texels, by row, and put together from two parts of a row. */
const FOUND = `
  vec4 highs = vec4(LOWEST), exps = vec4(0.), firsts = vec4(0.), seconds = vec4(0.), probe = vec4(0.);

  float maximum = LOWEST, sumExp = 0.;
  vec2 sums = vec2(0.);

  void take(int part) {
    Lane high = laneOfPart(highs, part);
    maximum = largest(high);
    Lane fall = max(high - maximum, LOWEST);
    Lane second = laneOfPart(seconds, part);
    sumExp = total(laneOfPart(exps, part) * expOf(fall));
    sums = vec2(total(laneOfPart(firsts, part) + second * fall), total(second));
    float probed = total(laneOfPart(probe, part));
    if (isNaN(probed) || probed == INF) sumExp = NAN;
  }

  void merge(float otherMaximum, float otherSumExp, vec2 otherSums) {
    otherMaximum = max(otherMaximum, LOWEST); // which is -Infinity in half floats
    float high = max(maximum, otherMaximum);
    vec2 fall = max(vec2(maximum, otherMaximum) - high, LOWEST);
    sumExp = dot(vec2(sumExp, otherSumExp), expOf(fall));
    sums = vec2(sums.x + sums.y * fall.x + (otherSums.x + otherSums.y * fall.y), sums.y + otherSums.y);
    maximum = high;
  }`;
