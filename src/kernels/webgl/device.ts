import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import type { Device } from '../gpu/device';
import { TOTAL, WALK_CHUNKS } from '../gpu/walk';
import { CLASSES_IN_ONE_PASS, HALF_SUM_SCALE, ROWS_IN_ONE_SUM } from './constants';
import { alongRow, mapMain, rowsProgram } from './rows';
import { checkSize, isHalf, type Program, run, runQuads, type WebGLBackend } from './run';

export const webgl: Device<WebGLBackend> = {
  reduce(backend, reduction) {
    const { shape, dim, code, walk, long } = reduction;
    checkSize(shape); // before an upload fails, which knows no remedy
    const { rows, classes } = classView(shape, dim);
    const pass = (texels: number, code: string, ints?: Program['ints'], quads?: Program['quads']) =>
      runQuads(backend, texels, rowsProgram(reduction, { ...alongRow(reduction, code), ints, quads }));
    const finish = (end: string) => /* glsl */ `${code}
void main() {
  int row = outTexel();
  vec4 s = walk(row, 0, ${end});
  if (s.y == 0.) s.y = NAN; // nothing but -Infinity
  setOutput(finish(row, s));
}`;
    if (!long || classes <= CLASSES_IN_ONE_PASS) return pass(rows, walk + finish('classes'));

    const chunk = 16 * Math.ceil(Math.sqrt(classes) / 16);
    const ints = { chunk, chunks: Math.ceil(classes / chunk) };
    const scale = `vec4(1., ${isHalf() ? HALF_SUM_SCALE : '1.'}, 1., 1.)`;
    const states = pass(
      rows * ints.chunks,
      /* glsl */ `${walk}
void main() {
  ivec2 i = place(outTexel(), chunks);
  setOutput(walk(i.y, i.x * chunk, min((i.x + 1) * chunk, classes)) * ${scale});
}`,
      ints,
    );
    const statesAt = `vec4 statesAt(int i) { vec4 s = partsAt(i) / ${scale}; s.x = max(s.x, LOWEST); return s; }`;
    const record = pass(rows, statesAt + WALK_CHUNKS + finish('chunks'), ints, { parts: states });
    backend.disposeData(states.dataId);
    return record;
  },

  map(backend, shader) {
    const code = shader.code + mapMain(shader);
    const { dense, record } = shader;
    return run(backend, shader.shape, { dense, ...rowsProgram(shader, { code, quads: { record } }) });
  },

  total(backend, record, rows, floats, code) {
    const program = (record: TensorInfo, end: number, main: string, scale = 1): Program => ({
      quads: { record },
      ints: { end },
      floats: { ...floats, scale },
      code: `${TOTAL + code} void main() { ${main} }`,
    });
    // Until one fragment can add them up. Sums are kept divided by the number of their terms: half floats overflow.
    let sums = record;
    let scale = 1;
    let count = rows;
    while (count > ROWS_IN_ONE_SUM) {
      const main = `
  int begin = outTexel() * ${ROWS_IN_ONE_SUM};
  setOutput(totalOf(begin, min(begin + ${ROWS_IN_ONE_SUM}, end), 1) / ${ROWS_IN_ONE_SUM}.);`;
      const next = runQuads(backend, Math.ceil(count / ROWS_IN_ONE_SUM), program(sums, count, main));
      if (sums !== record) backend.disposeData(sums.dataId);
      sums = next;
      scale *= ROWS_IN_ONE_SUM;
      count = next.shape[0];
    }
    const main = 'setOutput(vec4(outputOf(totalOf(0, end, 1) * scale), 0., 0., 0.));';
    const result = run(backend, [], program(sums, count, main, scale));
    if (sums !== record) backend.disposeData(sums.dataId);
    return result;
  },
};
