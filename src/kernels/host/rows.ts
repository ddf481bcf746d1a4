import type { ClassView } from '../../contract/class-view';
import type { Values } from './host';
import { weightOf } from './labels';
import type { Page } from './page';
import * as layout from './page-layout';

/** With the classes apart in memory, fewer positions than a cache line holds would read each line several times. */
const MIN_POSITIONS = 16;

/** What to do with all rows of tensors that have one class view. */
export interface Task {
  /** Of `page-layout.ts`. */
  readonly operations: number;
  readonly x: Values;
  /** Coefficients of the classes are `(q * qShare + share) * weights`, without what is missing of it. */
  readonly q?: Values;
  readonly qShare?: number;
  readonly share?: number;
  readonly weights?: Values;
  readonly out?: Values;
  readonly labels?: Values;
  /** What the labels' classes count, if they do not count all the same. */
  readonly labelWeights?: Values;
  readonly ignoreIndex?: number;
  readonly labelShare?: number;
  readonly spreadMass?: number;
  /** Upstream gradients, one for all or one a row; 1 by default. */
  readonly dy?: Values;
  readonly divisor?: number;
  /** Of a loss. Where nobody wants it, it is in the page only. */
  readonly record?: Values;
  /** What maxima start at, rather than -Infinity, from which nothing can be subtracted. */
  readonly lowest?: number;
}

/** What the rows of a loss add up to: the likelihood's part, and the smoothing's. */
export type Totals = readonly [likelihood: number, smoothing: number];

/**
 * Does it, tile by tile. What is in the page's memory already is used in place where rows are contiguous; all else goes
 * through the page, slice by slice and without transposing: what is needed does not depend on the tensors' size.
 */
export function forEachRow(page: Page, view: ClassView, task: Task): Totals {
  const { classes, inner, rows } = view;
  const { operations } = task;
  const { floats, doubles, base, run } = page;
  setParameters(page, task);
  const operand = (values: Values | undefined) => values && new Operand(values, floats);
  const x = new Operand(task.x, floats);
  const [q, weights, out] = [task.q, task.weights, task.out].map(operand);
  const [dy, record] = [task.dy, task.record].map(operand);
  const labels = task.labels && new Operand(task.labels, page.ints);
  const labelWeights = operations & layout.FINISH_LOSS ? task.labelWeights : undefined;

  const across = inner > 1;
  const inPlace = !across && x.isWithin;
  // Where arrays go: the tiles' room for x, half of it if there are others, and a quarter if there are two.
  const room = layout.TILE / (q && weights ? 4 : q || weights ? 2 : 1);
  const [xTile, qTile] = [base + layout.TILES, base + layout.Q_TILE];
  const weightsTile = q ? qTile + 4 * room : qTile;
  const fitting = Math.floor(room / Math.max(1, classes));
  const most = inPlace
    ? record || !(operations & layout.FINISH_LOSS)
      ? rows
      : Math.min(rows, layout.LANES)
    : across
      ? Math.min(layout.LANES, inner, Math.max(MIN_POSITIONS, fitting & ~7))
      : Math.max(1, Math.min(layout.LANES, fitting));
  const padded = (most + 7) & ~7;
  const span = inPlace ? classes : Math.min(classes, Math.floor(room / (across ? padded : 1)));
  const step = across ? 4 * padded : 0;
  const distance = across && x.isWithin ? 4 * inner : 0;
  // Rows that fill several tiles go through them once for the maxima, again for the sums, and again for the results.
  const stages = span === classes ? [operations] : stagesOf(operations);

  for (let first = 0, count = most; first < rows; first += count) {
    const o = Math.floor(first / inner);
    const i = first - o * inner;
    count = Math.min(most, across ? inner - i : rows - first);
    const labelsAt = labels ? labels.load(first, count, base + layout.LABELS) : 0;
    const dyAt = !dy
      ? base + layout.ONE
      : task.dy!.length > 1
        ? dy.load(first, count, base + layout.DY)
        : base + layout.DY;
    const recordAt = record ? record.load(4 * first, 4 * count, base + layout.RECORD) : base + layout.RECORD;
    if (labelWeights) {
      for (let r = 0, at = (recordAt >>> 2) + 3; r < count; r++, at += 4) {
        floats[at] = weightOf(task.labels![first + r], labelWeights, task.ignoreIndex!);
      }
    }
    for (const stage of stages) {
      for (let c = 0; c < Math.max(1, classes); c += Math.max(1, span)) {
        const some = Math.min(span, classes - c);
        const start = across ? (o * classes + c) * inner + i : first * classes + c;
        const load = (operand: Operand, to: number) =>
          across && !x.isWithin
            ? operand.loadSlices(start, inner, some, count, to, padded)
            : operand.load(start, count * some, to);
        const writes = out && stage & (layout.KEEP | layout.WRITES) && stage & (layout.EXPONENTIALS | layout.WRITES);
        const xAt = load(stage & layout.SCALED && !(stage & layout.EXPONENTIALS) ? out! : x, xTile);
        const qAt = q ? load(q, qTile) : 0;
        const weightsAt = weights ? weights.load(c, some, weightsTile) : 0;
        const outAt = !writes ? 0 : out.isWithin ? out.address + 4 * start : xAt;
        const bits = stage & (c > 0 ? ~FIRST : -1) & (c + some < classes ? ~LAST : -1);
        run(base, bits, count, some, step, distance, c, xAt, qAt, weightsAt, outAt, labelsAt, dyAt, recordAt);
        if (!writes || out.isWithin) continue;
        if (across) out.storeSlices(start, inner, some, count, outAt, padded);
        else out.store(start, count * some, outAt);
      }
    }
    if (record && operations & layout.FINISH_LOSS) record.store(4 * first, 4 * count, recordAt);
  }
  return [doubles[(base + layout.LIKELIHOOD) >>> 3], doubles[(base + layout.SMOOTHING) >>> 3]];
}

/** A tensor's elements, in the page's memory or elsewhere. */
class Operand {
  readonly isWithin: boolean;
  /** In the page's memory, in bytes. */
  readonly address: number;

  /** `memory` is the page's, of the type that kernels read: a float32 tensor of the cpu backend may hold an Int32Array. */
  constructor(
    private readonly values: Values,
    private readonly memory: Float32Array | Int32Array,
  ) {
    // Looked up once: to ask a typed array for its buffer takes its time.
    this.isWithin = values.buffer === memory.buffer;
    this.address = values.byteOffset;
  }

  /** The address of some elements: where they are, or `to`, where they are put. */
  load(start: number, length: number, to: number): number {
    if (this.isWithin) return this.address + 4 * start;
    this.memory.set(this.values.subarray(start, start + length), to >>> 2);
    return to;
  }

  /** Puts slices of a constant distance at an address, `padded` apart. */
  loadSlices(start: number, distance: number, slices: number, length: number, to: number, padded: number): number {
    for (let s = 0; s < slices; s++) this.load(start + s * distance, length, to + 4 * s * padded);
    return to;
  }

  store(start: number, length: number, from: number): void {
    if (this.isWithin) return;
    this.values.set(this.memory.subarray(from >>> 2, (from >>> 2) + length), start);
  }

  storeSlices(start: number, distance: number, slices: number, length: number, from: number, padded: number): void {
    for (let s = 0; s < slices; s++) this.store(start + s * distance, length, from + 4 * s * padded);
  }
}

/** What is done at a row's first classes only, and at its last ones. */
const FIRST = layout.START | layout.RECALL;
const LAST = layout.FINISHES;
const HOW = layout.SPREAD | layout.KEEP;

function stagesOf(operations: number): number[] {
  const peak = layout.START | layout.PEAK;
  const sums = layout.RECALL | layout.DOT | layout.EXPONENTIALS | LAST | HOW;
  const [a, b] = operations & layout.PEAK ? [peak, sums] : [0, peak | sums];
  return [a, b, layout.WRITES | HOW].map((stage) => stage & operations).filter((stage) => stage & ~HOW);
}

function setParameters({ floats, ints, doubles, base }: Page, task: Task): void {
  const { dy } = task;
  doubles[(base + layout.LIKELIHOOD) >>> 3] = 0;
  doubles[(base + layout.SMOOTHING) >>> 3] = 0;
  doubles[(base + layout.PER_DIVISOR) >>> 3] = 1 / (task.divisor ?? 1);
  doubles[(base + layout.LABEL_SHARE) >>> 3] = task.labelShare ?? 1;
  doubles[(base + layout.SPREAD_MASS) >>> 3] = task.spreadMass ?? 0;
  floats[(base + layout.Q_SHARE) >>> 2] = task.qShare ?? 1;
  floats[(base + layout.SHARE) >>> 2] = task.share ?? 0;
  floats[(base + layout.LOWEST) >>> 2] = task.lowest ?? -3.4028234663852886e38;
  ints[(base + layout.IGNORE_INDEX) >>> 2] = task.ignoreIndex ?? 0;
  ints[(base + layout.WEIGHTED) >>> 2] = task.labelWeights ? 1 : 0;
  ints[(base + layout.DY_STEP) >>> 2] = dy && dy.length > 1 ? 4 : 0;
  if (dy?.length === 1) floats[(base + layout.DY) >>> 2] = dy[0];
}
