import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ClassView } from '../../ops/class-view';
import { type Dispatch, run, type WebGPUBackend } from './backend';
import {
  BLOCK,
  CHUNK,
  ENOUGH_ROWS,
  MAPPED_PER_THREAD,
  MAX_WORKGROUPS,
  mappingLanes,
  reducingLanes,
  THREADS,
} from './constants';
import { NUMBERS } from './numbers';

/** What is done to the rows of a class view. Its pieces of WGSL name inputs and uniforms. */
interface RowShader {
  /** Names the shader by each choice that its text depends on. */
  readonly key: string;
  readonly view: ClassView;
  readonly inputs: Dispatch['inputs'];
  readonly ints?: Dispatch['ints'];
  readonly floats?: Dispatch['floats'];
}

export interface RowReduction extends RowShader {
  /** WGSL: a coefficient for class `c` of `row`, element `at`; by default there are none. */
  readonly coefficient?: string;
  /** WGSL: whether the classes of `row` need not be looked at. */
  readonly skipped?: string;
  /**
   * WGSL: `fn finish(row: i32, state: vec4<f32>) -> vec4<f32>`, the record of a row. The state holds, of the classes of
   * the input `x`: the maximum, the `sum of exp(x - max)` (NaN if a class is NaN or Infinity or all are -Infinity), the
   * `sum of coefficient * (max - x)`, and that of the coefficients. What is wanted of all rows is added to `sums`.
   */
  readonly finish: string;
}

/**
 * The record of each row, `[rows + workgroups, 4]`: behind those of the rows are the `sums` of each workgroup, so that
 * nobody need visit all rows again to add them up.
 */
export function reduceRows(backend: WebGPUBackend, reduction: RowReduction): TensorInfo {
  const { view } = reduction;
  const lanes = reducingLanes(view);
  const cut = view.classes > CHUNK && view.rows < ENOUGH_ROWS;
  if (!cut) return writeRecords(backend, reduction, lanes, { name: 'rows', state: stateOfClasses(reduction) });
  const chunks = Math.ceil(view.classes / CHUNK);
  const chunkStates = runOver(backend, gridOf(view, lanes, CHUNK), reduction, {
    name: 'chunks',
    code: STATE + stateOfClasses(reduction) + WRITE_STATE + reducing(lanes),
    outputShape: [view.rows * chunks, 4],
    outputComponent: 4,
  });
  const merging = { name: 'merge', state: STATE_OF_CHUNKS, records: { chunkStates }, ints: { chunks } };
  const record = writeRecords(backend, reduction, 1, merging);
  backend.disposeData(chunkStates.dataId);
  return record;
}

/** As `reduceRows`, for records that do not depend on all classes of a row: `finish` is given no state. */
export function recordRows(backend: WebGPUBackend, rows: RowShader & Pick<RowReduction, 'finish'>): TensorInfo {
  return writeRecords(backend, rows, 1, { name: 'records', state: NO_STATE });
}

function writeRecords(
  backend: WebGPUBackend,
  shader: RowShader & Pick<RowReduction, 'finish'>,
  lanes: number,
  { state, ...pass }: Pick<Pass, 'name' | 'records' | 'ints'> & { readonly state: string },
): TensorInfo {
  const grid = gridOf(shader.view, lanes);
  return runOver(backend, grid, shader, {
    ...pass,
    code: STATE + state + shader.finish + WRITE_RECORD + reducing(lanes),
    outputShape: [shader.view.rows + grid.workgroups, 4],
    outputComponent: 4,
  });
}

export interface RowMap extends RowShader {
  /** The records of the rows: `record[row]`. */
  readonly record: TensorInfo;
  /** WGSL: whether the elements of `row` are all 0. */
  readonly zero?: string;
  /** WGSL statements: what all classes of `row` need. */
  readonly prepare: string;
  /** WGSL: the result's element `at`, class `c` of `row`. */
  readonly value: string;
  readonly outputShape: readonly number[];
}

/** A tensor of the class view's elements. */
export function mapRows(backend: WebGPUBackend, map: RowMap): TensorInfo {
  const lanes = mappingLanes(map.view);
  return runOver(backend, gridOf(map.view, lanes, lanes * MAPPED_PER_THREAD), map, {
    name: 'map',
    code: mapping(map, lanes),
    records: { record: map.record },
    outputShape: map.outputShape,
  });
}

/** How workgroups share the work: each takes, in turns, blocks of some rows and a chunk of their classes. */
function gridOf({ rows, classes, inner }: ClassView, lanes: number, chunk = classes) {
  const rowBlocks = Math.ceil(rows / (THREADS / lanes));
  const blocks = rowBlocks * Math.ceil(classes / chunk);
  const workgroups = Math.min(blocks, MAX_WORKGROUPS);
  const turns = Math.ceil(blocks / workgroups);
  return { lanes, workgroups, ints: { rows, classes, inner, chunk, rowBlocks, blocks, workgroups, turns } };
}

/** One dispatch over the rows. */
type Pass = Pick<Dispatch, 'code' | 'records' | 'ints' | 'outputShape' | 'outputComponent'> & { readonly name: string };

function runOver(backend: WebGPUBackend, grid: ReturnType<typeof gridOf>, shader: RowShader, pass: Pass): TensorInfo {
  return run(backend, {
    ...pass,
    key: `${shader.key} ${pass.name} ${grid.lanes}`,
    code: NUMBERS + FIRST_OF_ROW + pass.code,
    inputs: shader.inputs,
    ints: { ...grid.ints, ...shader.ints, ...pass.ints },
    floats: shader.floats,
    workgroups: grid.workgroups,
    workgroupSize: THREADS,
  });
}

/** Runs `body` for each block of a thread: a `row`, and its classes `begin + lane`, `+ LANES` and so on below `end`. */
const forEachBlock = (lanes: number, body: string, after = '') => /* wgsl */ `
const LANES = ${lanes};
const ROWS = ${THREADS / lanes};

fn main(index: i32) {
  let group = i32(workgroupId.x);
  let thread = i32(localIndex);
  let lane = thread / ROWS;
  // As many turns for everyone, since all must meet at barriers: a surplus one has no live row.
  for (var turn = 0; turn < uniforms.turns; turn++) {
    let block = turn * uniforms.workgroups + group;
    let chunk = block / uniforms.rowBlocks;
    let row = (block % uniforms.rowBlocks) * ROWS + thread % ROWS;
    let live = block < uniforms.blocks && row < uniforms.rows;
    let begin = chunk * uniforms.chunk;
    let end = min(begin + uniforms.chunk, uniforms.classes);
    ${body}
  }
  ${after}
}
`;

/** Where class 0 of a row is; class `c` is `c * uniforms.inner` further. */
const FIRST_OF_ROW = /* wgsl */ `
fn firstOf(row: i32) -> i32 {
  return (row / uniforms.inner) * uniforms.classes * uniforms.inner + row % uniforms.inner;
}
`;

/**
 * What is known of some classes of a row: as `RowReduction` has it, but that the sum of exponentials is negative once a
 * class was NaN or Infinity, and 0 if there was nothing but -Infinity.
 */
const STATE = /* wgsl */ `
const NOTHING = vec4<f32>(LOWEST, 0.0, 0.0, 0.0);
const SPOILT = -1.0;

/** sum of coefficient * (max - x), for a larger max. */
fn raised(state: vec4<f32>, larger: f32) -> f32 {
  if (larger == state.x) { return state.z; }
  return state.z + times(state.w, larger - state.x);
}

fn merge(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let larger = max(a.x, b.x);
  let sum = a.y * exp(a.x - larger) + b.y * exp(b.x - larger);
  let spoilt = a.y < 0.0 || b.y < 0.0;
  return vec4<f32>(larger, select(sum, SPOILT, spoilt), raised(a, larger) + raised(b, larger), a.w + b.w);
}
`;

const stateOfClasses = ({ coefficient, skipped }: RowReduction) => /* wgsl */ `
fn stateOf(row: i32, begin: i32, end: i32) -> vec4<f32> {
  var state = NOTHING;
  ${skipped ? `if (${skipped}) { return state; }` : ''}
  let first = firstOf(row);
  let inner = uniforms.inner;
  var spoilt = vec4<bool>(false);
  // Four at a time: fewer corrections for a new maximum, and four reads under way.
  for (var c = begin; c < end; c += 4 * LANES) {
    let cs = vec4<i32>(c, c + LANES, c + 2 * LANES, c + 3 * LANES);
    let at = first + cs * inner;
    // What lies beyond the end is read all the same, which WGSL keeps within bounds: that is cheaper than a branch.
    let exists = cs < vec4<i32>(end);
    let values = select(vec4<f32>(-uniforms.INFINITY), ${quadruple((i) => `f32(x[at.${i}])`)}, exists);
    let bits = bitcast<vec4<u32>>(values);
    let finite = (bits & vec4<u32>(EXPONENT)) != vec4<u32>(EXPONENT);
    let masked = bits == vec4<u32>(NEGATIVE_INFINITY);
    spoilt |= !(finite | masked);
    let known = select(vec4<f32>(LOWEST), values, finite);
    let larger = max(max(state.x, max(known.x, known.y)), max(known.z, known.w));
    let terms = select(vec4<f32>(), exp(known - larger), finite);
    let sum = state.y * exp(state.x - larger) + total(terms);
    state = vec4<f32>(larger, sum, ${coefficient ? 'raised(state, larger), state.w' : '0.0, 0.0'});
    ${
      coefficient
        ? `let a = select(vec4<f32>(), ${quadruple((i) => `coefficientAt(row, cs.${i}, at.${i})`)}, exists);
    let distance = select(larger - values, vec4<f32>(uniforms.INFINITY), masked);
    let isZero = (bitcast<vec4<u32>>(a) & vec4<u32>(0x7fffffffu)) == vec4<u32>();
    state.z += total(select(a * distance, vec4<f32>(), isZero));
    state.w += total(a);`
        : ''
    }
  }
  if (any(spoilt)) { state.y = SPOILT; }
  return state;
}

fn total(terms: vec4<f32>) -> f32 {
  return (terms.x + terms.y) + (terms.z + terms.w);
}
${
  coefficient
    ? `
fn coefficientAt(row: i32, c: i32, at: i32) -> f32 {
  return ${coefficient};
}
`
    : ''
}`;

const quadruple = (element: (component: string) => string) => `vec4<f32>(${[...'xyzw'].map(element).join(', ')})`;

const NO_STATE = /* wgsl */ `
fn stateOf(row: i32, begin: i32, end: i32) -> vec4<f32> {
  return NOTHING;
}
`;

const STATE_OF_CHUNKS = /* wgsl */ `
fn stateOf(row: i32, begin: i32, end: i32) -> vec4<f32> {
  var state = NOTHING;
  for (var i = row; i < uniforms.rows * uniforms.chunks; i += uniforms.rows) { state = merge(state, chunkStates[i]); }
  return state;
}
`;

/** A chunk's state is kept as it is, for the dispatch that merges them. */
const WRITE_STATE = /* wgsl */ `
fn write(row: i32, chunk: i32, state: vec4<f32>) {
  result[chunk * uniforms.rows + row] = state;
}

fn writeSums(group: i32, sums: vec4<f32>) {}
`;

/** A row's state is complete: `finish` says what becomes of it. */
const WRITE_RECORD = /* wgsl */ `
fn write(row: i32, chunk: i32, state: vec4<f32>) {
  var settled = state;
  if (!(state.y > 0.0)) { settled.y = uniforms.NAN; }
  result[row] = finish(row, settled);
}

fn writeSums(group: i32, sums: vec4<f32>) {
  result[uniforms.rows + group] = sums;
}
`;

/**
 * WGSL: merges what `count` threads gathered, `step` apart, into the first of them, whose `rank` is 0. Four at a time,
 * for fewer barriers.
 */
const gather = (rank: string, count: string, step: string, merged: (a: string, b: string) => string) => `
    for (var size = ${count} / 4; size > 0; size /= 4) {
      workgroupBarrier();
      if (${rank} < size) {
        for (var k = size; k < 4 * size; k += size) {
          gathered[thread] = ${merged('gathered[thread]', `gathered[thread + k * ${step}]`)};
        }
      }
    }`;

/** The main function of a reduction: the first lane of a row gathers what the others know, and writes. */
const reducing = (lanes: number) => /* wgsl */ `
var<workgroup> gathered: array<vec4<f32>, ${THREADS}>;
/** What finish adds up, in blocks: rounding errors grow with the number of terms added one after another. */
var<private> sums: vec4<f32>;
var<private> allSums: vec4<f32>;
${forEachBlock(
  lanes,
  `var state = NOTHING;
    if (live) { state = stateOf(row, begin + lane, end); }
    gathered[thread] = state;
    ${gather('lane', 'LANES', 'ROWS', (a, b) => `merge(${a}, ${b})`)}
    if (live && lane == 0) { write(row, chunk, gathered[thread]); }
    ${lanes > 1 ? 'workgroupBarrier();' : ''}
    if (turn % ${BLOCK} == ${BLOCK - 1}) { allSums += sums; sums = vec4<f32>(); }`,
  `gathered[thread] = allSums + sums;
  ${gather('thread', 'ROWS', '1', (a, b) => `${a} + ${b}`)}
  if (thread == 0) { writeSums(group, gathered[0]); }`,
)}`;

/** The main function of a map. */
const mapping = ({ zero = 'false', prepare, value }: RowMap, lanes: number) =>
  forEachBlock(
    lanes,
    `if (!live) { continue; }
    let first = firstOf(row);
    let inner = uniforms.inner;
    if (${zero}) {
      for (var c = begin + lane; c < end; c += LANES) { result[first + c * inner] = 0.0; }
      continue;
    }
    ${prepare}
    for (var c = begin + lane; c < end; c += LANES) {
      let at = first + c * inner;
      result[at] = ${value};
    }`,
  );
