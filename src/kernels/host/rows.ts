import type { ClassView } from '../../ops/class-view';
import type { Values } from './host';
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
  readonly ignoreIndex?: number;
  readonly labelShare?: number;
  readonly spreadMass?: number;
  /** Upstream gradients, one for all or one a row; 1 by default. */
  readonly dy?: Values;
  readonly divisor?: number;
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
  const { operations, x, q, weights, out, labels, dy, record } = task;
  const { floats, ints, doubles, base, run } = page;
  const isWithin = (values: Values) => values.buffer === floats.buffer;
  const across = inner > 1;
  const inPlace = !across && isWithin(x);
  setParameters(page, task);

  const regions = 1 + (q ? 1 : 0) + (weights ? 1 : 0);
  const room = Math.floor(layout.TILE / regions / 16) * 16;
  const region = (index: number) => base + layout.TILES + 4 * index * room;
  const fitting = Math.floor(room / Math.max(1, classes));
  const most = inPlace
    ? rows
    : across
      ? Math.min(layout.LANES, inner, Math.max(MIN_POSITIONS, fitting & ~7))
      : Math.max(1, Math.min(layout.LANES, fitting));
  const padded = (most + 7) & ~7;
  const span = inPlace ? classes : Math.min(classes, Math.floor(room / (across ? padded : 1)));
  // Rows that fill several tiles go through them once for the maxima, again for the sums, and again for the results.
  const stages = span === classes ? [operations] : stagesOf(operations);

  for (let first = 0, count = most; first < rows; first += count) {
    const o = Math.floor(first / inner);
    const i = first - o * inner;
    count = Math.min(most, across ? inner - i : rows - first);
    const ofRows = (values: Values | undefined, at: number, width: number) => {
      if (!values) return 0;
      if (isWithin(values)) return values.byteOffset + 4 * first * width;
      const part = values.subarray(first * width, (first + count) * width);
      (values instanceof Int32Array ? ints : floats).set(part, (base + at) >>> 2);
      return base + at;
    };
    const labelsAt = ofRows(labels, layout.LABELS, 1);
    const dyAt = !dy ? base + layout.ONE : dy.length > 1 ? ofRows(dy, layout.DY, 1) : base + layout.DY;
    const recordAt = ofRows(record, layout.RECORD, 4);
    for (const stage of stages) {
      for (let c = 0; c < Math.max(1, classes); c += Math.max(1, span)) {
        const some = Math.min(span, classes - c);
        // Where things are in a tensor, and how much of it is contiguous.
        const start = across ? (o * classes + c) * inner + i : first * classes + c;
        const [slices, length] = across ? [some, count] : [1, count * some];
        const load = (values: Values, to: number) => {
          if (!across && isWithin(values)) return values.byteOffset + 4 * start;
          for (let s = 0; s < slices; s++) copyIn(values, start + s * inner, length, (to >>> 2) + s * padded);
          return to;
        };
        const writes = out && stage & (layout.KEEP | WRITES) && stage & (layout.EXPONENTIALS | WRITES);
        const tile = load(stage & layout.SCALED && !(stage & layout.EXPONENTIALS) ? out! : x, region(0));
        const result = !writes ? 0 : inPlace ? out.byteOffset + 4 * start : tile;
        const weightsAt = weights ? loadWeights(weights, c, some) : 0;
        const bits = stage & (c > 0 ? ~FIRST : -1) & (c + some < classes ? ~LAST : -1);
        const qAt = q ? load(q, region(1)) : 0;
        run(base, bits, count, some, across ? 4 * padded : 0, c, tile, qAt, weightsAt, result, labelsAt, dyAt, recordAt);
        if (!writes || inPlace) continue;
        for (let s = 0; s < slices; s++) copyOut(out, start + s * inner, length, (result >>> 2) + s * padded);
      }
    }
    if (record && operations & layout.FINISH_LOSS && !isWithin(record)) {
      record.set(floats.subarray(recordAt >>> 2, (recordAt >>> 2) + 4 * count), 4 * first);
    }
  }
  return [doubles[(base + layout.LIKELIHOOD) >>> 3], doubles[(base + layout.SMOOTHING) >>> 3]];

  function loadWeights(values: Values, firstClass: number, count: number): number {
    if (isWithin(values)) return values.byteOffset + 4 * firstClass;
    copyIn(values, firstClass, count, region(regions - 1) >>> 2);
    return region(regions - 1);
  }

  function copyIn(values: Values, start: number, length: number, to: number): void {
    const from = (values.byteOffset >>> 2) + start;
    if (isWithin(values)) floats.copyWithin(to, from, from + length);
    else floats.set(values.subarray(start, start + length), to);
  }

  function copyOut(values: Values, start: number, length: number, from: number): void {
    if (isWithin(values)) floats.copyWithin((values.byteOffset >>> 2) + start, from, from + length);
    else values.set(floats.subarray(from, from + length), start);
  }
}

const WRITES = layout.SCALED | layout.LOG_PROBS | layout.CENTRED;
/** What is done at a row's first classes only, and at its last ones. */
const FIRST = layout.START | layout.RECALL;
const LAST =
  layout.FINISH_LOSS |
  layout.FINISH_LOG_SOFTMAX |
  layout.FINISH_SOFTMAX |
  layout.FINISH_LOG_SOFTMAX_GRAD |
  layout.FINISH_SOFTMAX_GRAD;
const HOW = layout.SPREAD | layout.KEEP;

function stagesOf(operations: number): number[] {
  const peak = layout.START | layout.PEAK;
  const sums = layout.RECALL | layout.DOT | layout.EXPONENTIALS | LAST | HOW;
  const [a, b] = operations & layout.PEAK ? [peak, sums] : [0, peak | sums];
  return [a, b, WRITES | HOW].map((stage) => stage & operations).filter((stage) => stage & ~HOW);
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
  ints[(base + layout.DY_STEP) >>> 2] = dy && dy.length > 1 ? 4 : 0;
  if (dy?.length === 1) floats[(base + layout.DY) >>> 2] = dy[0];
}
