import { type ClassView, classView } from '../../contract/class-view';
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
    const value = valueFunction(shader.value);
    const code = prepare + shader.code + value.code + mapMain(value);
    return run(backend, shader.shape, { ...shader, ...grid, code });
  },

  totals(backend, rows, record, uniforms, code) {
    const ints = { rows, records: record.shape[0], inner: 1, classes: 1 };
    const dispatch = { inputs: { record }, ints, groups: 1, code: TOTAL + code + TOTAL_MAIN };
    return uniforms.map((floats) => run(backend, [], { ...dispatch, floats }));
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
  let i = index / lanes;
  let lane = index - i * lanes;
  let part = i / padded;
  let row = i - part * padded;
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

const each = (code: (i: number) => string, separator: string) => [0, 1, 2, 3].map(code).join(separator);

/** Values are stored four at a time, for the same reason as they are read so: loops cost. */
const mapMain = ({ names, dense }: ReturnType<typeof valueFunction>) => /* wgsl */ `
fn main(index: i32) {${PLACE}
  if (!live) { return; }
  let t = prepare(row);
  start(row);
  for (var c = begin; c < end; c += 4 * lanes) {
    ${names.map((name) => `let ${name}Four = ${name}Next(c);`).join(' ')}
    let values = vec4f(${each((i) => `value(row, c + ${i} * lanes, t, ${dense(i)})`, ', ')});
    ${each((i) => `if (c + ${i} * lanes < end) { result[first + (c + ${i} * lanes) * inner] = values[${i}]; }`, '\n    ')}
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
