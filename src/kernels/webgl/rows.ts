import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import { checkSize, fourDimensions, type Part, packed, quads, run, runQuads, type WebGLBackend } from './backend';
import { CLASSES_IN_ONE_PASS } from './constants';
import { type Layout, layoutCode, layoutOf } from './layouts';
import { type Along, FOUND, walkCode } from './walk';

/** Tensors of the rows' shape, by the names that the shader knows them by. */
type Dense = Readonly<Record<string, TensorInfo>>;

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
    const walk = walkCode(this.layout, Object.keys(dense), along);
    const all: Part[] = [packedAll(dense), { code: FOUND }, ...parts, { code: walk }];
    const noSoftmax = 'if (sumExp == 0.) sumExp = NAN; // nothing but -Infinity';
    const output = `${along.softmax ? noSoftmax : ''}
      setOutput(recordOf(outTexel()));`;
    if (this.classes > CLASSES_IN_ONE_PASS) return this.reduceInChunks(along, all, output);
    const main = `
      locate(pairOf(outTexel()));
      walk(0, STEPS);
      take(part);
      ${output}`;
    return this.perRow(this.rows, ...all, { code: inMain(main) });
  }

  /** By way of partial results: a texel for each chunk of two rows, or of one row where there are sums. */
  private reduceInChunks({ addends }: Along, parts: Part[], output: string): TensorInfo {
    const steps = Math.ceil(this.classes / this.layout.classesInTexel);
    const chunks = Math.ceil(Math.sqrt(steps));
    const cut: Part = { uniforms: { chunks: ['int', chunks], chunkSteps: ['int', Math.ceil(steps / chunks)] } };
    const oneRow = `
      locate(pairOf(i));
      walk(begin, end);
      take(part);
      setOutput(vec4(maximum, sumExp * SUM_SCALE, sums));`;
    const twoRows = `
      locate(i);
      walk(begin, end);
      take(0);
      vec2 first = vec2(maximum, sumExp * SUM_SCALE);
      take(1);
      setOutput(vec4(first, maximum, sumExp * SUM_SCALE));`;
    const partialMain = `
      int i = outTexel() / chunks;
      int begin = (outTexel() - i * chunks) * chunkSteps;
      int end = min(begin + chunkSteps, STEPS);
      ${addends ? oneRow : twoRows}`;
    const texels = (addends ? this.rows : this.pairs) * chunks;
    const partials = this.perRow(texels, ...parts, cut, { code: inMain(partialMain) });
    const main = `
      int pair = pairOf(outTexel());
      locate(pair);
      int first = ${addends ? 'outTexel()' : 'pair'} * chunks;
      for (int i = first; i < first + chunks; i++) {
        vec4 partial = partialsTexel(i);
        vec2 softmax = ${addends ? 'partial.xy' : 'part == 0 ? partial.xy : partial.zw'};
        merge(softmax.x, softmax.y / SUM_SCALE, ${addends ? 'partial.zw' : 'vec2(0.)'});
      }
      ${output}`;
    const inputs = { partials: quads(partials) };
    const record = this.perRow(this.rows, ...parts, cut, { inputs, code: inMain(main) });
    this.backend.disposeIntermediateTensorInfo(partials);
    return record;
  }

  private perRow(texels: number, ...parts: Part[]): TensorInfo {
    return runQuads(this.backend, texels, this.part, ...parts);
  }
}

const inMain = (code: string) => `void main() { ${code} }`;

const packedAll = (dense: Dense): Part => ({
  inputs: Object.fromEntries(Object.entries(dense).map(([name, tensor]) => [name, packed(tensor)])),
});
