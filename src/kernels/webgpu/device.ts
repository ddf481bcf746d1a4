import { type ClassView, classView } from '../../ops/class-view';
import { type Device, valueFunction } from '../gpu/device';
import { TOTAL } from '../gpu/walk';
import { CHUNK, ENOUGH_ROWS, MAPPED_PER_THREAD, mappingLanes, reducingLanes, THREADS } from './constants';
import { run, type WebGPUBackend } from './run';

export const webgpu: Device<WebGPUBackend> = {
  label: () => 't.w',

  chunkOf: ({ rows, classes }) => (classes > CHUNK && rows < ENOUGH_ROWS ? CHUNK : classes),

  reduce(backend, shader, chunk, chunks) {
    const view = classView(shader.shape, shader.dim);
    const { groups, ints } = gridOf(view, shader.code.includes('start(') ? reducingLanes(view) : 1, chunk, chunks);
    const code = shader.code + REDUCE;
    return run(backend, [view.rows * chunks + groups, 4], { ...shader, groups, ints, code }, 4);
  },

  map(backend, shader, prepare = 'vec4f prepare(i32 row) { return recordAt(row); }') {
    const view = classView(shader.shape, shader.dim);
    const lanes = mappingLanes(view);
    const chunk = lanes * MAPPED_PER_THREAD;
    const grid = gridOf(view, lanes, chunk, Math.ceil(view.classes / chunk));
    const { names, code: value } = valueFunction(shader.value);
    const values = [...'xy'].map((name) => (names.includes(name) ? `${name}At(i)` : '0.'));
    const code = prepare + shader.code + value + mapMain(values.join(', '));
    return run(backend, shader.shape, { ...shader, ...grid, code });
  },

  total(backend, rows, { inputs, floats, code }) {
    const ints = { rows, records: inputs.record.shape[0], inner: 1, classes: 1 };
    return run(backend, [], { code: TOTAL + code + TOTAL_MAIN, inputs, ints, floats, groups: 1 });
  },
};

/**
 * How threads share the work: some of them, the lanes, which are in one workgroup, have a chunk of a row's classes, then
 * come those of the next row.
 */
function gridOf({ rows, classes, inner }: ClassView, lanes: number, chunk: number, chunks: number) {
  const groups = Math.ceil((rows * lanes) / THREADS);
  const padded = (groups * THREADS) / lanes;
  return { groups: groups * chunks, ints: { rows, classes, inner, lanes, chunk, chunks, padded } };
}

const PLACE = /* wgsl */ `
  let thread = index % ${THREADS};
  let lane = index % lanes;
  let row = index / lanes % padded;
  let part = index / lanes / padded;
  let live = row < rows && part < chunks;
  let begin = part * chunk + lane;
  let end = min((part + 1) * chunk, classes);`;

/**
 * The first lane of a row merges what the others know. Behind the records of the rows are the sums of each workgroup, so
 * that nobody need visit all rows to add them up.
 */
const REDUCE = /* wgsl */ `
var<workgroup> gathered: array<vec4f, ${THREADS}>;
fn main(index: i32) {${PLACE}
  var s = nothing();
  if (live) { s = walk(row, begin, end); }
  gathered[thread] = s;
  workgroupBarrier();
  var sum = vec4f();
  if (live && lane == 0) {
    for (var k = 1; k < lanes; k++) { s = merge(s, gathered[thread + k]); }
    sum = finish(row, s);
    result[row * chunks + part] = sum;
  }
  workgroupBarrier();
  gathered[thread] = sum;
  workgroupBarrier();
  if (thread == 0 && part < chunks) {
    for (var k = 1; k < ${THREADS}; k++) { sum += gathered[k]; }
    result[rows * chunks + index / ${THREADS}] = sum;
  }
}`;

const mapMain = (values: string) => /* wgsl */ `
fn main(index: i32) {${PLACE}
  if (!live) { return; }
  let t = prepare(row);
  for (var c = begin; c < end; c += lanes) {
    let i = firstOf(row) + c * inner;
    result[i] = value(row, c, t, ${values});
  }
}`;

const TOTAL_MAIN = /* wgsl */ `
var<workgroup> gathered: array<vec4f, ${THREADS}>;
fn main(index: i32) {
  gathered[index] = totalOf(rows + index, records, ${THREADS});
  workgroupBarrier();
  if (index > 0) { return; }
  var sum = vec4f();
  for (var k = 0; k < ${THREADS}; k++) { sum += gathered[k]; }
  result[0] = outputOf(sum);
}`;
