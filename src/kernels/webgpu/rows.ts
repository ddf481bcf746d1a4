import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ClassView } from '../../ops/class-view';
import { type Dispatch, run, type WebGPUBackend } from './backend';
import {
  CHUNK,
  ENOUGH_ROWS,
  MAPPED_PER_THREAD,
  MAX_WORKGROUPS,
  mappingTeam,
  ONE_ROW_A_THREAD,
  reducingTeam,
  type Team,
  UNCUT_CLASSES,
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
  const team = reducingTeam(view);
  const cut = view.classes > UNCUT_CLASSES && view.rows < ENOUGH_ROWS;
  if (!cut) return writeRecords(backend, reduction, team, { name: 'rows', state: stateOfClasses(reduction) });
  const chunks = Math.ceil(view.classes / CHUNK);
  const chunkStates = runOver(backend, gridOf(view, team, CHUNK), reduction, {
    name: 'chunks',
    code: STATE + stateOfClasses(reduction) + WRITE_STATE + reducing(team),
    outputShape: [view.rows * chunks, 4],
    outputComponent: 4,
  });
  const merging = { name: 'merge', state: STATE_OF_CHUNKS, records: { chunkStates }, ints: { chunks } };
  const record = writeRecords(backend, reduction, ONE_ROW_A_THREAD, merging);
  backend.disposeData(chunkStates.dataId);
  return record;
}

/** As `reduceRows`, for records that do not depend on all classes of a row: `finish` is given no state. */
export function recordRows(backend: WebGPUBackend, rows: RowShader & Pick<RowReduction, 'finish'>): TensorInfo {
  return writeRecords(backend, rows, ONE_ROW_A_THREAD, { name: 'records', state: NO_STATE });
}

function writeRecords(
  backend: WebGPUBackend,
  shader: RowShader & Pick<RowReduction, 'finish'>,
  team: Team,
  { state, ...pass }: Pick<Pass, 'name' | 'records' | 'ints'> & { readonly state: string },
): TensorInfo {
  const grid = gridOf(shader.view, team);
  return runOver(backend, grid, shader, {
    ...pass,
    code: STATE + state + shader.finish + WRITE_RECORD + reducing(team),
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
  const team = mappingTeam(map.view);
  return runOver(backend, gridOf(map.view, team, team.lanes * MAPPED_PER_THREAD), map, {
    name: 'map',
    code: mapping(map, team),
    records: { record: map.record },
    outputShape: map.outputShape,
  });
}

/** How workgroups share the work: each takes, in turns, blocks of some rows and a chunk of their classes. */
function gridOf({ rows, classes, inner }: ClassView, team: Team, chunk = classes) {
  const rowBlocks = Math.ceil(rows / team.rows);
  const blocks = rowBlocks * Math.ceil(classes / chunk);
  const workgroups = Math.min(blocks, MAX_WORKGROUPS);
  const turns = Math.ceil(blocks / workgroups);
  return { team, workgroups, ints: { rows, classes, inner, chunk, rowBlocks, blocks, workgroups, turns } };
}

/** One dispatch over the rows. */
type Pass = Pick<Dispatch, 'code' | 'records' | 'ints' | 'outputShape' | 'outputComponent'> & { readonly name: string };

function runOver(backend: WebGPUBackend, grid: ReturnType<typeof gridOf>, shader: RowShader, pass: Pass): TensorInfo {
  const { lanes, rows } = grid.team;
  return run(backend, {
    ...pass,
    key: `${shader.key} ${pass.name} ${lanes}x${rows}`,
    code: NUMBERS + FIRST_OF_ROW + pass.code,
    inputs: shader.inputs,
    ints: { ...grid.ints, ...shader.ints, ...pass.ints },
    floats: shader.floats,
    workgroups: grid.workgroups,
    workgroupSize: lanes * rows,
  });
}

/** Runs `body` for each of a thread's blocks: `row`, and its classes `begin + lane`, `+ LANES`, ... below `end`. */
const forEachBlock = ({ lanes, rows }: Team, body: string, after = '') => /* wgsl */ `
const LANES = ${lanes};
const ROWS = ${rows};

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
  var spoilt = false;
  let first = firstOf(row);
  for (var c = begin; c < end; c += LANES) {
    let at = first + c * uniforms.inner;
    let value = f32(x[at]);
    let bits = bitcast<u32>(value);
    let finite = (bits & EXPONENT) != EXPONENT;
    let masked = bits == NEGATIVE_INFINITY;
    spoilt = spoilt || !(finite || masked);
    if (finite) {
      if (value > state.x) {
        state = vec4<f32>(value, state.y * exp(state.x - value), raised(state, value), state.w);
      }
      state.y += exp(value - state.x);
    }
    ${
      coefficient
        ? `let a = ${coefficient};
    state.z += times(a, select(state.x - value, uniforms.INFINITY, masked));
    state.w += a;`
        : ''
    }
  }
  if (spoilt) { state.y = SPOILT; }
  return state;
}
`;

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

const WRITE_STATE = /* wgsl */ `
fn write(row: i32, chunk: i32, state: vec4<f32>) {
  result[chunk * uniforms.rows + row] = state;
}

fn writeSums(group: i32, total: vec4<f32>) {}
`;

const WRITE_RECORD = /* wgsl */ `
fn write(row: i32, chunk: i32, state: vec4<f32>) {
  var settled = state;
  if (!(state.y > 0.0)) { settled.y = uniforms.NAN; }
  result[row] = finish(row, settled);
}

fn writeSums(group: i32, total: vec4<f32>) {
  result[uniforms.rows + group] = total;
}
`;

/** The main function of a reduction: lanes gather the states of their classes, then one of them writes. */
const reducing = (team: Team) => /* wgsl */ `
var<private> sums: vec4<f32>;
var<workgroup> gathered: array<vec4<f32>, ${team.lanes * team.rows}>;

${forEachBlock(
  team,
  `var state = NOTHING;
    if (live) { state = stateOf(row, begin + lane, end); }
    gathered[thread] = state;
    for (var half = LANES / 2; half > 0; half /= 2) {
      workgroupBarrier();
      if (lane < half) { gathered[thread] = merge(gathered[thread], gathered[thread + half * ROWS]); }
    }
    workgroupBarrier();
    // Another lane each time, so that each adds up few rows: rounding errors grow with their number.
    if (live && lane == turn % LANES) { write(row, chunk, gathered[thread % ROWS]); }
    workgroupBarrier();`,
  `gathered[thread] = sums;
  for (var half = LANES * ROWS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) { gathered[thread] += gathered[thread + half]; }
  }
  if (thread == 0) { writeSums(group, gathered[0]); }`,
)}`;

const mapping = ({ zero = 'false', prepare, value }: RowMap, team: Team) =>
  forEachBlock(
    team,
    `if (!live) { continue; }
    let first = firstOf(row);
    if (${zero}) {
      for (var c = begin + lane; c < end; c += LANES) { result[first + c * uniforms.inner] = 0.0; }
      continue;
    }
    ${prepare}
    for (var c = begin + lane; c < end; c += LANES) {
      let at = first + c * uniforms.inner;
      result[at] = ${value};
    }`,
  );
