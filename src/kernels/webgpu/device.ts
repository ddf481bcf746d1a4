import { type ClassView, classView } from '../../ops/class-view';
import type { Device } from '../gpu/device';
import { TOTAL, WALK_CHUNKS } from '../gpu/walk';
import { CHUNK, ENOUGH_ROWS, MAPPED_PER_THREAD, mappingLanes, reducingLanes, THREADS } from './constants';
import { run, type WebGPUBackend } from './run';

export const webgpu: Device<WebGPUBackend> = {
  reduce(backend, reduction) {
    const view = classView(reduction.shape, reduction.dim);
    const { rows, classes } = view;
    const pass = (lanes: number, chunk: number, walk: string, quads = {}) => {
      const grid = gridOf(view, lanes, chunk, 1);
      const code = walk + reduction.code + reduceMain(WRITE_RECORD, WRITE_SUMS);
      return run(backend, [rows + grid.groups, 4], { ...reduction, ...grid, quads, code, components: 4 });
    };
    const lanes = reduction.long ? reducingLanes(view) : 1;
    if (!reduction.long || classes <= CHUNK || rows >= ENOUGH_ROWS) return pass(lanes, classes, reduction.walk);

    const grid = gridOf(view, lanes, CHUNK);
    const { chunks } = grid.ints;
    const code = reduction.walk + reduceMain('result[row * chunks + part] = s;');
    const states = run(backend, [rows * chunks, 4], { ...reduction, ...grid, code, components: 4 });
    const record = pass(1, chunks, WALK_CHUNKS, { states });
    backend.disposeData(states.dataId);
    return record;
  },

  map(backend, shader) {
    const view = classView(shader.shape, shader.dim);
    const lanes = mappingLanes(view);
    const grid = gridOf(view, lanes, lanes * MAPPED_PER_THREAD);
    const values = [...'xy'].map((name) => (name in shader.dense ? `${name}At(i)` : '0.'));
    const code = shader.code + mapMain(values.join(', '));
    return run(backend, shader.shape, { ...shader, ...grid, quads: { record: shader.record }, code });
  },

  total(backend, record, rows, floats, code) {
    const ints = { rows, records: record.shape[0], inner: 1, classes: 1 };
    return run(backend, [], { code: TOTAL + code + TOTAL_MAIN, quads: { record }, ints, floats, groups: 1 });
  },
};

/** How workgroups share the work: each takes some rows, with a number of threads, the lanes, a row, and a part of their classes. */
function gridOf({ rows, classes, inner }: ClassView, lanes: number, chunk: number, chunks = Math.ceil(classes / chunk)) {
  const blocks = Math.ceil(rows / (THREADS / lanes));
  return { groups: blocks * chunks, ints: { rows, classes, inner, lanes, chunk, chunks, blocks } };
}

/** Threads next to each other read what lies next to each other. */
const PLACE = /* wgsl */ `
  let thread = index % ${THREADS};
  let group = index / ${THREADS};
  let across = ${THREADS} / lanes;
  let contiguous = inner == 1;
  let lane = select(thread / across, thread % lanes, contiguous);
  let row = group % blocks * across + select(thread % across, thread / lanes, contiguous);
  let part = group / blocks;
  let live = row < rows && part < chunks;
  let begin = part * chunk + lane;
  let end = min((part + 1) * chunk, classes);`;

/** The first lane of a row merges what the others know. */
const reduceMain = (write: string, after = '') => /* wgsl */ `
var<workgroup> gathered: array<vec4f, ${THREADS}>;
fn main(index: i32) {${PLACE}
  var s = nothing();
  if (live) { s = walk(row, begin, end); }
  gathered[thread] = s;
  workgroupBarrier();
  var record = vec4f();
  if (live && lane == 0) {
    for (var k = 1; k < lanes; k++) { s = merge(s, gathered[thread + k * select(across, 1, contiguous)]); }
    ${write}
  }
  ${after}
}`;

const WRITE_RECORD = /* wgsl */ `
    if (s.y == 0.) { s.y = NAN; } // nothing but -Infinity
    record = finish(row, s);
    result[row] = record;`;

/** Behind the records of the rows are the sums of each workgroup, so that nobody need visit all rows to add them up. */
const WRITE_SUMS = /* wgsl */ `
  workgroupBarrier();
  gathered[thread] = record;
  workgroupBarrier();
  if (thread == 0 && part < chunks) {
    for (var k = 1; k < ${THREADS}; k++) { record += gathered[k]; }
    result[rows + group] = record;
  }`;

const mapMain = (values: string) => /* wgsl */ `
fn main(index: i32) {${PLACE}
  if (!live) { return; }
  let t = prepare(row);
  let label = labelOf(row);
  for (var c = begin; c < end; c += lanes) {
    let i = firstOf(row) + c * inner;
    result[i] = value(t, label, c, ${values});
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
