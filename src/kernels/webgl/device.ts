import type { Code, Value } from '../gpu/code';
import type { Device, Input } from '../gpu/device';
import { NO_WALK, TOTAL } from '../gpu/walk';
import { CLASSES_IN_ONE_PASS, ROWS_IN_ONE_SUM } from './constants';
import { type Layout, layoutOf } from './layouts';
import { isHalf, run, runQuads, type WebGLBackend } from './run';

export const webgl: Device<WebGLBackend> = {
  isLabel: () => (isHalf() ? IS_LABEL_ITSELF : IS_LABEL_OF_TERMS),

  chunkOf: ({ classes }) => (classes > CLASSES_IN_ONE_PASS ? 16 * Math.ceil(Math.sqrt(classes) / 16) : classes),

  reduce(backend, rows, walk, finish, chunk, chunks) {
    const { view, ints, layout } = layoutOf(rows);
    const main = { text: REDUCE, calls: [walk, finish] };
    return runQuads(backend, view.rows * chunks, { ...rows, ints: { ...ints, chunk, chunks }, layout, main });
  },

  map(backend, rows, value, prepare) {
    const { record } = rows.inputs;
    // The terms are found once a row, not for each texel of it: every input that is read counts.
    const terms = prepare ? quads(this.reduce(backend, rows, NO_WALK, finishPrepared(prepare), 1, 1)) : record;
    const layout = layoutOf(rows);
    const inputs = { ...rows.inputs, record: terms };
    const result = run(backend, rows.shape, { ...rows, ...layout, inputs, main: mapMain(value, layout) });
    if (prepare) backend.disposeData(terms.tensor.dataId);
    return result;
  },

  totals(backend, rows, record, uniforms, output, scale = 1) {
    const program = { inputs: { record: quads(record) }, ints: { rows } };
    if (rows <= ROWS_IN_ONE_SUM) {
      const main = { text: SUM_ALL, calls: [TOTAL, output] };
      return uniforms.map((floats) => run(backend, [], { ...program, floats: { ...floats, scale }, main }));
    }
    // More than a fragment can add up. Sums are kept divided by the number of their terms: half floats would overflow.
    const texels = Math.ceil(rows / ROWS_IN_ONE_SUM);
    const sums = runQuads(backend, texels, { ...program, main: { text: SUM_SOME, calls: [TOTAL] } });
    const results = this.totals(backend, texels, sums, uniforms, output, scale * ROWS_IN_ONE_SUM);
    backend.disposeData(sums.dataId);
    return results;
  },
};

const quads = (tensor: Input['tensor']): Input => ({ tensor, holds: 'quads' });

const IS_LABEL_OF_TERMS: Code = { text: 'bool isLabel(int row, int c, vec4 t) { return t.w == tag(c); }' };

/** Half floats are too coarse for the tags. */
const IS_LABEL_ITSELF: Code = {
  text: 'bool isLabel(int row, int c, vec4 t) { return labelsAt(row) == c; }',
  reads: ['labels'],
};

const REDUCE = /* glsl */ `
void main() {
  ivec2 i = place(outTexel(), chunks);
  setOutput(finish(i.y, walk(i.y, i.x * chunk, min((i.x + 1) * chunk, classes))));
}`;

const finishPrepared = (prepare: Code): Code => ({
  text: 'vec4 finish(int row, vec4 s) { return prepare(row); }',
  calls: [prepare],
});

function mapMain(value: Value, { rows, classes }: Layout): Code {
  const elements = rows.map((row, i) => {
    const first = rows.indexOf(row);
    const taken = value.takes.map((name) => `, ${name}Four[${i}]`).join('');
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
  ${value.takes.map((name) => `vec4 ${name}Four = ${name}At(i);`).join(' ')}
  vec4 result;
  ${elements.join('\n  ')}
  // Padding must be 0: TensorFlow.js's matMul adds it up.
  bvec2 more = lessThan(at + 1, ivec2(width, height));
  setOutput(mix(vec4(0.), result, bvec4(true, more.x, more.y, more.x && more.y)));
}`;
  return { text, reads: ['record'], calls: [value] };
}

const SUM_ALL = 'void main() { setOutput(vec4(outputOf(totalOf(0, rows, 1) * scale), 0., 0., 0.)); }';

const SUM_SOME = /* glsl */ `
void main() {
  int i = outTexel() * ${ROWS_IN_ONE_SUM};
  setOutput(totalOf(i, min(i + ${ROWS_IN_ONE_SUM}, rows), 1) / ${ROWS_IN_ONE_SUM}.);
}`;
