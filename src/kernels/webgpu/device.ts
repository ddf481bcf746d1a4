import { type ClassView, classView } from '../../contract/class-view';
import type { Code, Value } from '../gpu/code';
import type { Device } from '../gpu/device';
import { STATE, TOTAL } from '../gpu/walk';
import { CHUNK, ENOUGH_ROWS, MAPPED_PER_THREAD, mappingLanes, reducingLanes, THREADS } from './constants';
import { run, START, type WebGPUBackend } from './run';

export const webgpu: Device<WebGPUBackend> = {
  isLabel: () => ({ text: 'bool isLabel(i32 row, i32 c, vec4f t) { return t.w == tag(c); }' }),

  chunkOf: ({ rows, classes }) => (classes > CHUNK && rows < ENOUGH_ROWS ? CHUNK : classes),

  reduce(backend, rows, walk, finish, chunk, chunks) {
    const view = classView(rows.shape, rows.dim);
    const { groups, ints } = gridOf(view, walk.shares ? reducingLanes(view) : 1, chunk, chunks);
    const main = { text: REDUCE, calls: [START, STATE, walk, finish] };
    return run(
      backend,
      [view.rows * chunks + groups, 4],
      { ...rows, groups, ints: { ...rows.ints, ...ints }, main },
      4,
    );
  },

  map(backend, rows, value, prepare = RECORD_AS_TERMS) {
    const view = classView(rows.shape, rows.dim);
    const lanes = mappingLanes(view);
    const chunk = lanes * MAPPED_PER_THREAD;
    const { groups, ints } = gridOf(view, lanes, chunk, Math.ceil(view.classes / chunk));
    const main = { text: mapMain(value), calls: [START, value, prepare] };
    return run(backend, rows.shape, { ...rows, groups, ints: { ...rows.ints, ...ints }, main });
  },

  totals(backend, rows, record, uniforms, output) {
    const dispatch = {
      inputs: { record: { tensor: record, holds: 'quads' as const } },
      ints: { rows, records: record.shape[0] },
      groups: 1,
      main: { text: TOTAL_MAIN, calls: [TOTAL, output] },
    };
    return uniforms.map((floats) => run(backend, [], { ...dispatch, floats }));
  },
};

const RECORD_AS_TERMS: Code = { text: 'vec4f prepare(i32 row) { return recordAt(row); }', reads: ['record'] };

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
const mapMain = ({ takes }: Value) => /* wgsl */ `
fn main(index: i32) {${PLACE}
  if (!live) { return; }
  let t = prepare(row);
  start(row);
  for (var c = begin; c < end; c += 4 * lanes) {
    ${takes.map((name) => `let ${name}Four = ${name}Next(c);`).join(' ')}
    let values = vec4f(${each((i) => `value(row, c + ${i} * lanes, t${takes.map((name) => `, ${name}Four[${i}]`).join('')})`, ', ')});
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
