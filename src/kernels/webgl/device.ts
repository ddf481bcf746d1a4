import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../contract/class-view';
import { type Code, type Input, LOOP, piece, quads, type Walk } from '../gpu/code';
import { type Device, isLabel, powerOfTwo, type Rows, termsOfRecord, type Uniforms } from '../gpu/device';
import { NO_WALK, termsOf, totalOf, walkChunks } from '../gpu/walk';
import { CLASSES_IN_ONE_PASS, ROWS_IN_ONE_SUM } from './constants';
import { type Layout, layoutOf } from './layouts';
import { canShareTextures, isHalf, run, runQuads, runUnpacked, texelsOf, type WebGLBackend } from './run';

export const webgl: Device<WebGLBackend> = {
  // Half floats are too coarse for tags.
  isLabel: (labels) => (isHalf() ? isLabel('labelsAt(row) == c', labels) : isLabel('t.w == tag(c)')),

  map(backend, rows, value, terms) {
    if ('tensor' in terms) return mapElements(backend, rows, value, atHand(terms));
    // They are found once a row, not for each texel of it: every input that is read counts.
    const finish = piece('vec4 finish(int row, vec4 s) { return prepare(row); }', {}, [terms]);
    return this.sweep(backend, rows, NO_WALK, finish, value);
  },

  sweep(backend, rows, walk, finish, value) {
    const record = reduce(backend, rows, walk, finish);
    const result = mapElements(backend, rows, value, atHand(quads(record)));
    backend.disposeData(record.dataId);
    return result;
  },

  lossAndGradient(backend, rows, { walk, finish, value, divisor, stats }, expressions) {
    const { rows: count } = classView(rows.shape, rows.dim);
    const record = quads(reduce(backend, rows, walk, finish));
    const known = typeof divisor === 'number' ? divisor : 0;
    const weightOf = typeof divisor === 'number' ? undefined : divisor;
    return withSums(backend, { ...recordsOf(rows, record, stats, weightOf), count }, (sums, condensed) => {
      // The gradient reads the sum of the weights in a texel of its own: that of a scalar has to be 0 beside it.
      const all = known ? sums : condensed(sums, powerOfTwo(sums.count));
      const prepare = piece(`vec4 prepare(int row) { vec4 r = recordAt(row); return ${termsOfRecord({ stats })}; }`, {
        record,
      });
      const floats = { ...rows.floats, known, scale: all.scale ?? 1 };
      const k = `float k;
void begin() { k = quotient(upstream, ${known ? 'known' : 'term(0).w * scale'}); }`;
      const begin = piece(k, {}, known ? [] : [all.terms]);
      const gradient = mapElements(backend, { ...rows, floats }, value, prepare, begin);
      const scalars = results(backend, all, expressions);
      backend.disposeData(record.tensor.dataId);
      return [gradient, scalars];
    });
  },

  lossAndRecord(backend, rows, { walk, finish, stats }, expressions, each) {
    const { rows: count } = classView(rows.shape, rows.dim);
    const record = reduce(backend, rows, walk, finish);
    const records = { ...recordsOf(rows, quads(record), stats), count };
    const all = each
      ? results(backend, records, expressions, rowShape(rows.shape, rows.dim))
      : withSums(backend, records, (sums) => results(backend, sums, expressions));
    return [record, all];
  },
};

/** Four numbers a row: `vec4 finish(int row, vec4 state)` of the state that the walk along it leaves. */
function reduce(backend: WebGLBackend, rows: Rows, walk: Walk, finish: Code): TensorInfo {
  const { classes, rows: count } = classView(rows.shape, rows.dim);
  // So many rows keep a GPU busy by themselves.
  if (walk === NO_WALK || classes <= CLASSES_IN_ONE_PASS || count > ROWS_IN_ONE_SUM) {
    return reduceChunks(backend, rows, walk, finish, classes, 1);
  }
  const chunk = 16 * Math.ceil(Math.sqrt(classes) / 16);
  const chunks = Math.ceil(classes / chunk);
  const states = reduceChunks(backend, rows, walk, FINISH_STATE, chunk, chunks);
  const record = reduceChunks(backend, rows, walkChunks(states), finish, chunks, 1);
  backend.disposeData(states.dataId);
  return record;
}

const FINISH_STATE = piece('vec4 finish(int row, vec4 s) { return s; }');

const atHand = (record: Input) => piece('vec4 prepare(int row) { return recordAt(row); }', { record });

/** Four numbers a chunk of each row. */
function reduceChunks(backend: WebGLBackend, rows: Rows, walk: Walk, finish: Code, chunk: number, chunks: number) {
  const { view, ints, layout } = layoutOf(rows);
  const program = {
    ...rows,
    ints: { ...ints, chunk, chunks },
    layout,
    main: piece(REDUCE, {}, [walk.code(LOOP), finish]),
  };
  return runQuads(backend, view.rows * chunks, program);
}

const REDUCE = /* glsl */ `
void main() {
  ivec2 i = place(outTexel(), chunks);
  setOutput(finish(i.y, walk(i.y, i.x * chunk, min((i.x + 1) * chunk, classes))));
}`;

/** What is prepared of each row may use what `void begin()` leaves, which is called once. */
function mapElements(backend: WebGLBackend, rows: Rows, value: Code, prepare: Code, begin?: Code): TensorInfo {
  const layout = layoutOf(rows);
  // As wide as that of an input, so that this is read where it is written.
  const [texels] = Object.values(value.reads).map(({ tensor }) => texelsOf(backend, tensor));
  const main = mapMain(value, prepare, layout, texels?.[1] === layout.across, begin);
  return run(backend, rows.shape, { ...rows, ...layout, main }, { texels });
}

/** `isLine` says that a line of texels is one of the texture. Software renderers run both sides of a branch in a shader. */
function mapMain(
  value: Code,
  prepare: Code,
  { ofElement, rows, classes }: Layout,
  isLine: boolean,
  begin?: Code,
): Code {
  const names = Object.keys(value.reads);
  const elements = rows.map((row, i) => {
    const same = rows.indexOf(row);
    const taken = names.map((name) => `, ${name}Four[${i}]`).join('');
    return `${same === i ? `vec4 t${i} = prepare(row + ${row});` : ''}
  result[${i}] = value(row + ${row}, c + ${classes[i]}, t${same}${taken});`;
  });
  const text = /* glsl */ `
void main() {
  ${begin ? 'begin();' : ''}
  ivec2 line = ${isLine ? 'ivec2(gl_FragCoord.xy)' : 'place(outTexel(), across)'};
  ivec2 inPlane = IN_PLANE(line.y, down);
  int u = 2 * line.x, v = 2 * inPlane.x, plane = inPlane.y;
  ${ofElement}
  ${names.map((name) => `vec4 ${name}Four = ${name}Here();`).join(' ')}
  vec4 result;
  ${elements.join('\n  ')}
  // Padding must be 0: TensorFlow.js's matMul adds it up.
  bvec2 more = lessThan(ivec2(u, v) + 1, ivec2(width, height));
  setOutput(mix(vec4(0.), result, bvec4(true, more.x, more.y, more.x && more.y)));
}`;
  return piece(text, {}, [value, ...(begin ? [begin] : []), prepare]);
}

/** What is to be added up: `vec4 term(int i)`, times a scale. */
interface Sums extends Uniforms {
  /** For terms that look for an element of a row. */
  readonly layout?: string;
  readonly terms: Code;
  readonly count: number;
  readonly scale?: number;
}

/** Gives `use` no more terms than a fragment can add up, and a way to condense them further. */
function withSums<T>(
  backend: WebGLBackend,
  sums: Sums,
  use: (sums: Sums, condensed: (sums: Sums, each: number) => Sums) => T,
): T {
  const temporary: TensorInfo[] = [];
  // Sums are kept divided by a number of terms, a power of two: half floats would overflow.
  const condensed = ({ terms, count, scale = 1, ints, layout }: Sums, each: number): Sums => {
    const texels = Math.ceil(count / each);
    const tensor = runQuads(backend, texels, {
      ints: { ...ints, count, each },
      layout,
      main: piece(SUM_SOME, {}, [totalOf(terms)]),
    });
    temporary.push(tensor);
    return { terms: termsOf(quads(tensor)), count: texels, scale: scale * each };
  };
  const { count } = sums;
  const each = Math.max(ROWS_IN_ONE_SUM, powerOfTwo(Math.sqrt(count)));
  const result = use(count > ROWS_IN_ONE_SUM ? condensed(sums, each) : sums, condensed);
  for (const { dataId } of temporary) backend.disposeData(dataId);
  return result;
}

const SUM_SOME = /* glsl */ `
void main() {
  int i = outTexel() * each;
  setOutput(totalOf(i, min(i + each, count), 1) / float(each));
}`;

/** The records of rows, or their stats, as terms; with the weight of each, where the record has it not. */
function recordsOf(rows: Rows, record: Input, stats?: Code, weightOf?: Code): Pick<Sums, 'terms' | 'ints' | 'layout'> {
  const taken = stats ? 'statsOf(i, recordAt(i))' : 'recordAt(i)';
  const text = `vec4 term(int i) { return ${weightOf ? `vec4(${taken}.xyz, weightOf(i))` : taken}; }`;
  const { ints, layout } = layoutOf(rows);
  const calls = [stats, weightOf].filter((code) => code !== undefined);
  return { terms: piece(text, { record }, calls), ints, layout: stats && layout };
}

/** Scalars: expressions of their `sum`. Or tensors of a shape `each`, of each term, which `sum` is then. */
function results(backend: WebGLBackend, sums: Sums, expressions: string[], each?: number[]): TensorInfo[] {
  const { terms, count, scale = 1 } = sums;
  const program = (result: string) => ({
    ...sums,
    ints: { ...sums.ints, count },
    floats: { scale },
    main: piece(
      /* glsl */ `
void main() {
  ivec2 i = place(outTexel(), ${each ? 'count' : '1'});
  vec4 sum = ${each ? 'term(i.x)' : 'totalOf(0, count, 1) * scale'};
  setOutput(${result});
}`,
      {},
      [each ? terms : totalOf(terms)],
    ),
  });
  // TensorFlow.js packs what is not packed, one by one: it takes more than two to gain from a texture that they share.
  if (expressions.length > 2) {
    const sharing = (some: string[]) => runUnpacked(backend, each ?? [], some.length, program(`float[](${some})[i.y]`));
    return canShareTextures ? sharing(expressions) : expressions.flatMap((expression) => sharing([expression]));
  }
  return expressions.map((expression) => {
    if (!each) return run(backend, [], program(`vec4(${expression}, 0., 0., 0.)`));
    const value = piece(`float value(int row, int c, vec4 sum) { return ${expression}; }`);
    const prepare = piece('vec4 prepare(int row) { return term(row); }', {}, [terms]);
    return { ...mapElements(backend, { shape: [1, ...each], dim: 0 }, value, prepare), shape: each };
  });
}
