import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../contract/class-view';
import { type Code, LOOP, type Loop, numbers, piece, quads } from '../gpu/code';
import {
  type Device,
  type GradientPass,
  isLabel,
  type LossPass,
  powerOfTwo,
  type Rows,
  termsOfRecord,
  type Uniforms,
} from '../gpu/device';
import { four, NO_WALK, STATE, termsOf, totalOf } from '../gpu/walk';
import { ADDED_BY_THREAD, ADDING_GROUPS, addingThreads, sharingOf } from './constants';
import { run, START, type WebGPUBackend } from './run';

export const webgpu: Device<WebGPUBackend> = {
  isLabel: () => isLabel('t.w == tag(c)'),

  map(backend, rows, value, terms, over) {
    const finish = (row: string, reads: object, calls: Code[] = []) =>
      piece(`vec4f finish(i32 row, vec4f s) { return ${row}; }`, { ...reads }, calls);
    const prepared = 'text' in terms ? finish('prepare(row)', {}, [terms]) : finish('recordAt(row)', { record: terms });
    return visit(backend, rows, { walk: NO_WALK, finish: prepared, value, over });
  },

  sweep: (backend, rows, walk, finish, value) => visit(backend, rows, { walk, finish, value }),

  lossAndGradient(backend, rows, pass, expressions) {
    const { divisor } = pass;
    const { rows: count, classes } = classView(rows.shape, rows.dim);
    const weights =
      typeof divisor === 'number'
        ? undefined
        : add(backend, weightsOf(divisor), ['sum.w'], {
            ints: { ...rows.ints, classes },
            count,
            groups: Math.min(ADDING_GROUPS, Math.ceil(count / (addingThreads(backend) * ADDED_BY_THREAD))),
          })[0];
    const sums: TensorInfo[] = [];
    const gradient = visit(backend, rows, { ...pass, weights, sums });
    const scalars = add(backend, termsOf(quads(sums[0])), expressions, { count: sums[0].shape[0] });
    for (const { dataId } of weights ? [weights, ...sums] : sums) backend.disposeData(dataId);
    return [gradient, scalars];
  },

  lossAndRecord(backend, rows, pass, expressions, each) {
    const record = visit(backend, rows, pass);
    const { rows: count, classes, inner } = classView(rows.shape, rows.dim);
    if (!each)
      return [record, add(backend, termsOf(quads(record)), expressions, { first: count, count: record.shape[0] })];
    const { stats } = pass;
    const text = `vec4f term(i32 i) { return ${stats ? 'statsOf(i, recordAt(i))' : 'recordAt(i)'}; }`;
    const terms = piece(text, { record: quads(record) }, stats ? [START, stats] : []);
    const ints = { ...rows.ints, classes, inner, apart: 1 };
    const shape = rowShape(rows.shape, rows.dim);
    return [record, add(backend, terms, expressions, { ints, count, each }).map((column) => ({ ...column, shape }))];
  },
};

const weightsOf = (weightOf: Code) =>
  piece('vec4f term(i32 i) { return vec4f(0., 0., 0., weightOf(i)); }', {}, [weightOf]);

/** What a visit leaves: the elements of a value, or the record of each row. */
interface Visit extends LossPass, Partial<Pick<GradientPass, 'value' | 'divisor'>> {
  /** Sums that make up the divisor, if it is not known. */
  readonly weights?: TensorInfo;
  /** Gets the sums of each workgroup; they are behind the records where the result is those. */
  readonly sums?: TensorInfo[];
  readonly over?: TensorInfo;
}

/** One dispatch: the first lane of a row merges what all know of it, and they make its elements while it is at hand. */
function visit(backend: WebGPUBackend, rows: Rows, options: Visit): TensorInfo {
  const { walk, value, divisor, weights, sums, over } = options;
  const view = classView(rows.shape, rows.dim);
  const { classes, inner } = view;
  const visited = walk === NO_WALK && !value ? { ...view, classes: 1 } : view;
  const readTwice = value ? Object.keys(walk.reads).filter((name) => walk.reads[name].isDense) : [];
  const { threads, lanes, kept } = sharingOf(visited, readTwice.length, backend);
  const together = threads / lanes;
  const groups = Math.ceil(view.rows / together);
  const weightCount = weights?.shape[0] ?? 1;
  const vectors = inner === 1 && classes % 4 === 0;
  sums?.push(backend.makeTensorInfo([groups, 4], 'float32'));
  return run(backend, value ? rows.shape : [view.rows + groups, 4], {
    main: visitMain(options, threads, vectors, kept > 0 ? loopsOf(readTwice, kept) : LOOPS),
    threads,
    groups,
    vectors,
    outputComponent: vectors || !value ? 4 : 1,
    over,
    also: sums && { sums: sums[0] },
    ints: {
      ...rows.ints,
      rows: view.rows,
      classes,
      inner,
      groups,
      lanes,
      together,
      ...(inner > 1 ? { laneStep: together, placeStep: 1 } : { laneStep: 1, placeStep: lanes }),
      laneShift: inner > 1 ? Math.log2(together) : 0,
      placeShift: inner > 1 ? 0 : Math.log2(lanes),
      apart: vectors ? 1 : lanes,
      width: vectors ? 4 : 1,
      weightCount,
      span: powerOfTwo(weightCount),
    },
    floats: { ...rows.floats, known: typeof divisor === 'number' ? divisor : 0 },
  });
}

/** Half of the positions take what the other half has, and so on: in the end the first one has it all. */
const tree = (position: string, positions: string, step: string, taken: string) => /* wgsl */ `
  for (var half = ${positions} / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (${position} < half) {
      let other = gathered[thread + half * ${step}];
      gathered[thread] = ${taken};
    }
  }`;
const ADDED = 'gathered[thread] + other';

/** How the two loops along a row are written: that of the walk, and that of the elements; and what they declare. */
interface Loops {
  readonly walk: Loop;
  readonly elements: Loop;
  readonly text: string;
}
const LOOPS: Loops = { walk: LOOP, elements: LOOP, text: '' };

/**
 * Those that keep the fours of each lane for the elements, in registers: hence the loops are unrolled. Workgroup memory for
 * them leaves room for fewer workgroups at a time, and takes longer than to read them again from a cache.
 */
function loopsOf(names: string[], kept: number): Loops {
  const steps = (step: (j: number, register: (name: string) => string) => string) =>
    Array.from({ length: kept }, (_, j) => step(j, (name) => `${name}Kept${j}`)).join('\n');
  const each = (text: (name: string) => string) => names.map(text).join(' ');
  const loop =
    (reads: boolean): Loop =>
    (body) =>
      `start(row, begin); ${steps(
        (j, register) =>
          `{ let c = begin + ${4 * j} * lanes; ${reads ? each((name) => `${register(name)} = ${name}Next(c);`) : ''} ${body(register)} }`,
      )}`;
  return {
    walk: loop(true),
    elements: loop(false),
    text: steps((_, register) => each((name) => `var<private> ${register(name)}: vec4f;`)),
  };
}

function visitMain(
  { walk, finish, value, weights, sums, stats }: Visit,
  threads: number,
  vectors: boolean,
  loops: Loops,
): Code {
  const names = Object.keys(value?.reads ?? {});
  const values =
    value && four((part, c) => `value(row, ${c}, t${names.map((name) => `, ${name}Four.${part}`).join('')})`);
  const stores = [0, 1, 2, 3].map((i) => {
    const c = `c + ${i} * apart`;
    return `if (${c} < classes) { result[first + (${c}) * inner] = values[${i}]; }`;
  });
  const text = /* wgsl */ `
${loops.text}
var<workgroup> gathered: array<vec4f, ${threads}>;
fn main(index: i32) {
  let thread = i32(localIndex);
  let lane = (thread >> u32(laneShift)) & (lanes - 1);
  let place = (thread >> u32(placeShift)) & (together - 1);
  let group = index / ${threads};
  let row = group * together + place;
  let live = row < rows;
  let begin = lane * width;
  ${
    weights
      ? `
  gathered[thread] = vec4f(select(0., weightsAt(min(thread, weightCount - 1)), thread < weightCount));
  ${tree('thread', 'span', '1', ADDED)}
  workgroupBarrier();
  let divisor = gathered[0].w;
  workgroupBarrier();`
      : 'let divisor = known;'
  }
  var s = nothing();
  if (live) { s = walk(row, begin, classes); }
  gathered[thread] = s;
  ${tree('lane', 'lanes', 'laneStep', 'merge(gathered[thread], other)')}
  var r = vec4f();
  if (live && lane == 0) {
    r = finish(row, gathered[thread]);
    ${sums ? 'let k = quotient(upstream, divisor);' : ''}
    ${value ? `gathered[thread] = ${sums ? termsOfRecord({ stats }) : 'r'};` : 'result[row] = r;'}
  }
  ${
    value
      ? `
  workgroupBarrier();
  let t = gathered[place * placeStep];
  if (live) {
    let end = classes;
    ${loops.elements(
      (next) => `
      ${names.map((name) => `let ${name}Four = ${next(name)};`).join(' ')}
      let values = ${values};
      ${vectors ? 'if (c < end) { result[(first + c) >> 2u] = values; }' : stores.join('\n      ')}`,
    )}
  }`
      : ''
  }
  ${
    value && !sums
      ? ''
      : `
  workgroupBarrier();
  gathered[thread] = r;
  ${stats ? 'if (live && lane == 0) { gathered[thread] = statsOf(row, r); }' : ''}
  ${tree('place', 'together', 'placeStep', ADDED)}
  if (thread == 0 && group < groups) {
    ${value ? 'sums[group] = vec4f(gathered[0].xyz, select(0., divisor, group == 0))' : 'result[rows + group] = gathered[0]'};
  }`
  }
}`;
  const reads = weights && { weights: numbers(weights) };
  return piece(text, reads, [
    START,
    STATE,
    walk.code(loops.walk),
    finish,
    ...[value, stats].filter((code) => code !== undefined),
  ]);
}

/**
 * The terms of rows, added up by one workgroup or more: expressions of the `sum` of each, a tensor for each of them. Or of
 * `each` term, which `sum` is then.
 */
function add(
  backend: WebGPUBackend,
  terms: Code,
  [first, ...others]: string[],
  { ints, first: firstTerm = 0, count, groups = 1, each = false }: Uniforms & Addition,
): TensorInfo[] {
  const threads = addingThreads(backend);
  const shape = each ? [count] : groups > 1 ? [groups] : [];
  const also = Object.fromEntries(others.map((_, i) => [`also${i}`, backend.makeTensorInfo(shape, 'float32')]));
  const stores = others.map((expression, i) => `also${i}[at] = ${expression};`).join('\n    ');
  const text = /* wgsl */ `
${each ? '' : `var<workgroup> gathered: array<vec4f, ${threads}>;`}
fn main(index: i32) {
  let thread = i32(localIndex);
  ${
    each
      ? 'let at = index;'
      : `let at = index / ${threads};
  gathered[thread] = totalOf(firstTerm + index, terms, groups * ${threads});
  ${tree('thread', `${threads}`, '1', ADDED)}`
  }
  if (${each ? 'at < terms' : 'thread == 0'}) {
    let sum = ${each ? 'term(at)' : 'gathered[0]'};
    result[at] = ${first};
    ${stores}
  }
}`;
  const result = run(backend, shape, {
    main: piece(text, {}, [each ? terms : totalOf(terms)]),
    threads,
    groups: each ? Math.ceil(count / threads) : groups,
    also,
    ints: { ...ints, firstTerm, terms: count, groups },
  });
  return [result, ...Object.values(also)];
}

interface Addition {
  readonly first?: number;
  readonly count: number;
  readonly groups?: number;
  readonly each?: boolean;
}
