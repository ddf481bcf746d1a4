import { type Device, valueFunction } from '../gpu/device';
import { NO_WALK, TOTAL } from '../gpu/walk';
import { CLASSES_IN_ONE_PASS, ROWS_IN_ONE_SUM } from './constants';
import { rowsOf } from './layouts';
import { isHalf, run, runQuads, type WebGLBackend } from './run';

export const webgl: Device<WebGLBackend> = {
  label: () => (isHalf() ? 'labelsAt(row)' : 't.w'),

  chunkOf: ({ classes }) => (classes > CLASSES_IN_ONE_PASS ? 16 * Math.ceil(Math.sqrt(classes) / 16) : classes),

  reduce(backend, shader, chunk, chunks) {
    const { view, ints, layout } = rowsOf(shader);
    const code = /* glsl */ `${shader.code}
void main() {
  ivec2 i = place(outTexel(), chunks);
  setOutput(finish(i.y, walk(i.y, i.x * chunk, min((i.x + 1) * chunk, classes))));
}`;
    return runQuads(backend, view.rows * chunks, { ...shader, layout, ints: { ...ints, chunk, chunks }, code });
  },

  map(backend, shader, prepare) {
    const { rows, classes, ints, layout } = rowsOf(shader);
    const { record } = shader.inputs;
    // The terms are found once a row, not for each texel of it: every input that is read counts.
    const finish = 'vec4 finish(int row, vec4 s) { return prepare(row); }';
    const terms = prepare ? this.reduce(backend, { ...shader, code: NO_WALK + prepare + finish }, 1, 1) : record;
    const { names, dense, code: value } = valueFunction(shader.value);
    const elements = rows.map((row, i) => {
      const first = rows.indexOf(row);
      return `${first === i ? `vec4 t${i} = recordAt(row + ${row});` : ''}
  result[${i}] = value(row + ${row}, c + ${classes[i]}, t${first}, ${dense(i)});`;
    });
    const code = /* glsl */ `${shader.code + value}
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
    const result = run(backend, shader.shape, {
      ...shader,
      inputs: { ...shader.inputs, record: terms },
      ints,
      layout,
      code,
    });
    if (terms !== record) backend.disposeData(terms.dataId);
    return result;
  },

  totals(backend, rows, record, uniforms, code, scale = 1) {
    if (rows <= ROWS_IN_ONE_SUM) {
      const main = 'void main() { setOutput(vec4(outputOf(totalOf(0, rows, 1) * scale), 0., 0., 0.)); }';
      const program = { inputs: { record }, ints: { rows }, code: TOTAL + code + main };
      return uniforms.map((floats) => run(backend, [], { ...program, floats: { ...floats, scale } }));
    }
    // More than a fragment can add up. Sums are kept divided by the number of their terms: half floats would overflow.
    const texels = Math.ceil(rows / ROWS_IN_ONE_SUM);
    const sums = runQuads(backend, texels, {
      inputs: { record },
      ints: { rows },
      code: `${TOTAL}void main() {
  int i = outTexel() * ${ROWS_IN_ONE_SUM};
  setOutput(totalOf(i, min(i + ${ROWS_IN_ONE_SUM}, rows), 1) / ${ROWS_IN_ONE_SUM}.);
}`,
    });
    const results = this.totals(backend, texels, sums, uniforms, code, scale * ROWS_IN_ONE_SUM);
    backend.disposeData(sums.dataId);
    return results;
  },
};
