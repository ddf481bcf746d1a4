import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../contract/class-view';
import { type Code, type Input, piece, quads, type Walk } from '../gpu/code';
import { type Device, isLabel, powerOfTwo, type Rows, TERMS, type Uniforms } from '../gpu/device';
import { NO_WALK, termsOf, totalOf, walkChunks } from '../gpu/walk';
import { CLASSES_IN_ONE_PASS, ROWS_IN_ONE_SUM } from './constants';
import { type Layout, layoutOf } from './layouts';
import { isHalf, run, runQuads, type WebGLBackend } from './run';

export const webgl: Device<WebGLBackend> = {
  // Half floats are too coarse for tags.
  isLabel: (labels) => (isHalf() ? isLabel('labelsAt(row) == c', labels) : isLabel('t.w == tag(c)')),

  reduce(backend, rows, walk, finish) {
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
  },

  map(backend, rows, value, terms) {
    if ('tensor' in terms) return mapElements(backend, rows, value, atHand(terms));
    // They are found once a row, not for each texel of it: every input that is read counts.
    const finish = piece('vec4 finish(int row, vec4 s) { return prepare(row); }', {}, [terms]);
    return this.sweep(backend, rows, NO_WALK, finish, value);
  },

  sweep(backend, rows, walk, finish, value) {
    const record = this.reduce(backend, rows, walk, finish);
    const result = mapElements(backend, rows, value, atHand(quads(record)));
    backend.disposeData(record.dataId);
    return result;
  },

  lossAndGradient(backend, rows, { walk, finish, value, divisor, stats }, expressions) {
    const { rows: count } = classView(rows.shape, rows.dim);
    const record = quads(this.reduce(backend, rows, walk, finish));
    const known = typeof divisor === 'number' ? divisor : 0;
    const isNumber = typeof divisor === 'number';
    const added = stats ? 'statsOf(i, recordAt(i))' : 'recordAt(i)';
    const text = `vec4 term(int i) { return ${isNumber ? added : `vec4(${added}.xyz, weightOf(i))`}; }`;
    const terms = piece(text, { record }, [...(stats ? [stats] : []), ...(isNumber ? [] : [divisor])]);
    const { ints, layout } = layoutOf(rows);
    return withSums(backend, { terms, count, ints, layout: stats && layout }, (sums, condensed) => {
      // The gradient reads the sum of the weights in a texel of its own: that of a scalar has to be 0 beside it.
      const all = known ? sums : condensed(sums, powerOfTwo(sums.count));
      const prepare = `vec4 prepare(int row) {
  vec4 r = recordAt(row);
  float k = quotient(upstream, ${known ? 'known' : 'term(0).w * scale'});
  return ${TERMS};
}`;
      const floats = { ...rows.floats, known, scale: all.scale ?? 1 };
      const calls = known ? [] : [all.terms];
      const gradient = mapElements(backend, { ...rows, floats }, value, piece(prepare, { record }, calls));
      const scalars = expressions.map((expression) => total(backend, all, expression));
      backend.disposeData(record.tensor.dataId);
      return [gradient, scalars];
    });
  },

  totals: (backend, rows, record, expressions) =>
    withSums(backend, { terms: termsOf(quads(record)), count: rows }, (sums) =>
      expressions.map((expression) => total(backend, sums, expression)),
    ),
};

const FINISH_STATE = piece('vec4 finish(int row, vec4 s) { return s; }');

const atHand = (record: Input) => piece('vec4 prepare(int row) { return recordAt(row); }', { record });

/** Four numbers a chunk of each row. */
function reduceChunks(backend: WebGLBackend, rows: Rows, walk: Walk, finish: Code, chunk: number, chunks: number) {
  const { view, ints, layout } = layoutOf(rows);
  const program = { ...rows, ints: { ...ints, chunk, chunks }, layout, main: piece(REDUCE, {}, [walk, finish]) };
  return runQuads(backend, view.rows * chunks, program);
}

const REDUCE = /* glsl */ `
void main() {
  ivec2 i = place(outTexel(), chunks);
  setOutput(finish(i.y, walk(i.y, i.x * chunk, min((i.x + 1) * chunk, classes))));
}`;

function mapElements(backend: WebGLBackend, rows: Rows, value: Code, prepare: Code): TensorInfo {
  const layout = layoutOf(rows);
  return run(backend, rows.shape, { ...rows, ...layout, main: mapMain(value, prepare, layout) });
}

function mapMain(value: Code, prepare: Code, { rows, classes }: Layout): Code {
  const names = Object.keys(value.reads);
  const elements = rows.map((row, i) => {
    const first = rows.indexOf(row);
    const taken = names.map((name) => `, ${name}Four[${i}]`).join('');
    return `${first === i ? `vec4 t${i} = prepare(row + ${row});` : ''}
  result[${i}] = value(row + ${row}, c + ${classes[i]}, t${first}${taken});`;
  });
  const text = /* glsl */ `
void main() {
  int i = outTexel();
  ivec2 line = place(i, across);
  ivec2 plane = place(line.y, down);
  ivec2 at = 2 * ivec2(line.x, plane.x);
  ivec2 e = place((plane.y * height + at.y) * width + at.x, inner);
  ivec2 o = place(e.y, classes);
  int c = o.x, row = o.y * inner + e.x;
  ${names.map((name) => `vec4 ${name}Four = ${name}At(i);`).join(' ')}
  vec4 result;
  ${elements.join('\n  ')}
  // Padding must be 0: TensorFlow.js's matMul adds it up.
  bvec2 more = lessThan(at + 1, ivec2(width, height));
  setOutput(mix(vec4(0.), result, bvec4(true, more.x, more.y, more.x && more.y)));
}`;
  return piece(text, {}, [value, prepare]);
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

/** A scalar: an expression of their `sum`. */
function total(backend: WebGLBackend, { terms, count, scale = 1, ints, layout }: Sums, expression: string): TensorInfo {
  const main = /* glsl */ `
void main() {
  vec4 sum = totalOf(0, count, 1) * scale;
  setOutput(vec4(${expression}, 0., 0., 0.));
}`;
  const program = { ints: { ...ints, count }, floats: { scale }, layout, main: piece(main, {}, [totalOf(terms)]) };
  return run(backend, [], program);
}
