import { type ClassView, classView } from '../../contract/class-view';
import { type Code, piece } from '../gpu/code';
import { type Device, isLabel, type Uniforms } from '../gpu/device';
import { four, STATE, totalOf } from '../gpu/walk';
import {
  CHUNK,
  CHUNK_OF_THREAD,
  ENOUGH_ROWS,
  MAPPED_PER_THREAD,
  mappingLanes,
  reducingLanes,
  THREADS,
} from './constants';
import { run, START, type WebGPUBackend } from './run';

export const webgpu: Device<WebGPUBackend> = {
  isLabel: () => isLabel('t.w == tag(c)'),

  chunkOf({ rows, classes, inner }) {
    if (inner > 1) return Math.min(classes, CHUNK_OF_THREAD);
    return rows < ENOUGH_ROWS ? Math.min(classes, CHUNK) : classes;
  },

  reduce(backend, rows, walk, finish, chunk, chunks) {
    const view = classView(rows.shape, rows.dim);
    const grid = gridOf(view, rows, walk.shares ? reducingLanes(view) : 1, chunk, chunks);
    const main = piece(REDUCE, {}, [START, STATE, walk, finish]);
    return run(backend, [view.rows * chunks + grid.groups, 4], { ...grid, main }, 4);
  },

  map(backend, rows, value, terms) {
    const view = classView(rows.shape, rows.dim);
    const lanes = mappingLanes(view);
    const chunk = lanes * MAPPED_PER_THREAD;
    const grid = gridOf(view, rows, lanes, chunk, Math.ceil(view.classes / chunk));
    const prepare =
      'text' in terms ? terms : piece('vec4f prepare(i32 row) { return recordAt(row); }', { record: terms });
    return run(backend, rows.shape, { ...grid, main: mapMain(value, prepare) });
  },

  totals(backend, rows, record, expressions) {
    const ints = { rows, records: record.tensor.shape[0] };
    const mains = expressions.map((expression) => piece(sumAll(expression), {}, [totalOf(record)]));
    return mains.map((main) => run(backend, [], { ints, groups: 1, main }));
  },
};

/**
 * How threads share the work: some of them, the lanes, which are in one workgroup, have a chunk of a row's classes, then
 * come those of the next row.
 */
function gridOf(view: ClassView, { ints, floats }: Uniforms, lanes: number, chunk: number, chunks: number) {
  const groups = Math.ceil((view.rows * lanes) / THREADS);
  const padded = (groups * THREADS) / lanes;
  const { rows, classes, inner } = view;
  return { groups: groups * chunks, ints: { ...ints, rows, classes, inner, lanes, chunk, chunks, padded }, floats };
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

/** Values are stored four at a time, for the same reason as they are read so: loops cost. */
function mapMain(value: Code, prepare: Code): Code {
  const names = Object.keys(value.reads);
  const values = four((part, c) => `value(row, ${c}, t${names.map((name) => `, ${name}Four.${part}`).join('')})`);
  const stores = [0, 1, 2, 3].map((i) => {
    const c = `c + ${i} * lanes`;
    return `if (${c} < end) { result[first + (${c}) * inner] = values[${i}]; }`;
  });
  const text = /* wgsl */ `
fn main(index: i32) {${PLACE}
  if (!live) { return; }
  let t = prepare(row);
  start(row);
  for (var c = begin; c < end; c += 4 * lanes) {
    ${names.map((name) => `let ${name}Four = ${name}Next(c);`).join(' ')}
    let values = ${values};
    ${stores.join('\n    ')}
  }
}`;
  return piece(text, {}, [START, value, prepare]);
}

const sumAll = (expression: string) => /* wgsl */ `
var<workgroup> gathered: array<vec4f, ${THREADS}>;
fn main(index: i32) {
  gathered[index] = totalOf(rows + index, records, ${THREADS});
  workgroupBarrier();
  if (index > 0) { return; }
  var sum = vec4f();
  for (var k = 0; k < ${THREADS}; k++) { sum += gathered[k]; }
  result[0] = ${expression};
}`;
