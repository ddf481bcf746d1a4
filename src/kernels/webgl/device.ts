import { type Code, type Input, piece, quads } from '../gpu/code';
import { type Device, isLabel } from '../gpu/device';
import { NO_WALK, totalOf } from '../gpu/walk';
import { CLASSES_IN_ONE_PASS, ROWS_IN_ONE_SUM } from './constants';
import { type Layout, layoutOf } from './layouts';
import { isHalf, run, runQuads, type WebGLBackend } from './run';

export const webgl: Device<WebGLBackend> = {
  // Half floats are too coarse for tags.
  isLabel: (labels) => (isHalf() ? isLabel('labelsAt(row) == c', labels) : isLabel('t.w == tag(c)')),

  chunkOf: ({ classes }) => (classes > CLASSES_IN_ONE_PASS ? 16 * Math.ceil(Math.sqrt(classes) / 16) : classes),

  reduce(backend, rows, walk, finish, chunk, chunks) {
    const { view, ints, layout } = layoutOf(rows);
    const program = { ...rows, ints: { ...ints, chunk, chunks }, layout, main: piece(REDUCE, {}, [walk, finish]) };
    return runQuads(backend, view.rows * chunks, program);
  },

  map(backend, rows, value, terms) {
    const layout = layoutOf(rows);
    const program = (record: Input) => ({ ...rows, ...layout, main: mapMain(value, record, layout) });
    if ('tensor' in terms) return run(backend, rows.shape, program(terms));
    // They are found once a row, not for each texel of it: every input that is read counts.
    const finish = piece('vec4 finish(int row, vec4 s) { return prepare(row); }', {}, [terms]);
    const record = quads(this.reduce(backend, rows, NO_WALK, finish, 1, 1));
    const result = run(backend, rows.shape, program(record));
    backend.disposeData(record.tensor.dataId);
    return result;
  },

  totals(backend, rows, record, expressions, scale = 1) {
    const calls = [totalOf(record)];
    const ints = { rows };
    if (rows <= ROWS_IN_ONE_SUM) {
      const mains = expressions.map((expression) => piece(sumAll(expression), {}, calls));
      return mains.map((main) => run(backend, [], { ints, floats: { scale }, main }));
    }
    // More than a fragment can add up. Sums are kept divided by the number of their terms: half floats would overflow.
    const texels = Math.ceil(rows / ROWS_IN_ONE_SUM);
    const sums = quads(runQuads(backend, texels, { ints, main: piece(SUM_SOME, {}, calls) }));
    const results = this.totals(backend, texels, sums, expressions, scale * ROWS_IN_ONE_SUM);
    backend.disposeData(sums.tensor.dataId);
    return results;
  },
};

const REDUCE = /* glsl */ `
void main() {
  ivec2 i = place(outTexel(), chunks);
  setOutput(finish(i.y, walk(i.y, i.x * chunk, min((i.x + 1) * chunk, classes))));
}`;

function mapMain(value: Code, record: Input, { rows, classes }: Layout): Code {
  const names = Object.keys(value.reads);
  const elements = rows.map((row, i) => {
    const first = rows.indexOf(row);
    const taken = names.map((name) => `, ${name}Four[${i}]`).join('');
    return `${first === i ? `vec4 t${i} = recordAt(row + ${row});` : ''}
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
  return piece(text, { record }, [value]);
}

const sumAll = (expression: string) => /* glsl */ `
void main() {
  vec4 sum = totalOf(0, rows, 1) * scale;
  setOutput(vec4(${expression}, 0., 0., 0.));
}`;

const SUM_SOME = /* glsl */ `
void main() {
  int i = outTexel() * ${ROWS_IN_ONE_SUM};
  setOutput(totalOf(i, min(i + ${ROWS_IN_ONE_SUM}, rows), 1) / ${ROWS_IN_ONE_SUM}.);
}`;
