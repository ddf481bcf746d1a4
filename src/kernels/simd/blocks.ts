import type { ClassView } from '../../contract/class-view';
import type { Values } from '../host/host';
import { type Module, setParameters } from './module';
import type { Workspace } from './workspace';

/** What a kernel works on: arrays in the class view, `x`, `q` and `out`, then what has one entry a row, or a class. */
interface Arrays {
  readonly x: Values;
  /** Coefficients of the classes: probabilities, or the upstream gradients of a softmax. */
  readonly q?: Values;
  readonly out?: Values;
  readonly labels?: Values;
  /** Four numbers a row: read, or made. */
  readonly record?: Values;
  readonly recordOut?: Values;
  readonly correctOut?: Values;
  /** One for all rows, or one a row. */
  readonly dy?: Values;
  readonly weights?: Values;
}

/** Floats of a block of contiguous rows that stay in a core's first cache; a single row may have more. */
const ROOM = 11328;
/** Floats of tiles that stay in a core's second cache: the longer the slices of a tile, the faster they are moved. */
const TILE_ROOM = 49152;
/** Rows of a tile at most. No power of two: the classes of a tile would share few cache lines. */
const MOST_ROWS = 2032;
/** And at least: with less than a cache line of each class, tiles would read each line several times. */
const LEAST_ROWS = 16;

/**
 * Runs a kernel on all rows, block by block. A block is a part of the tensors that lies in one piece and has whole rows.
 * Where the tensors are in the module's memory, it is worked on in place: all rows, or all those side by side. Else it is
 * copied there and back: as many contiguous rows as stay in a core's cache, or all those side by side.
 */
export function forEachBlock(
  module: Module,
  workspace: Workspace,
  view: ClassView,
  arrays: Arrays,
  run: (rows: number, x: number, q: number, out: number) => void,
): void {
  const { classes, inner, rows } = view;
  const { x, q, out, labels, dy, weights, correctOut } = arrays;
  const record = arrays.record ?? arrays.recordOut;
  const isWithin = x.buffer === workspace.memory.buffer;
  const across = inner > 1;
  const fitting = (floats: number) => Math.floor(floats / (q ? 2 : 1) / Math.max(1, classes));
  const blockRows = across ? inner : isWithin ? rows : Math.min(rows, Math.max(1, fitting(ROOM)));
  const tileRows = Math.min(inner, MOST_ROWS, Math.max(LEAST_ROWS, fitting(TILE_ROOM) & ~7));

  // Where everything goes in the workspace, behind what the module needs for itself.
  let size: number = module.RESERVED.value;
  const place = (floats: number) => {
    const offset = size;
    size += (4 * floats + 15) & ~15;
    return offset;
  };
  const tileFloats = across ? classes * ((tileRows + 7) & ~7) : 0;
  const tile = place(tileFloats);
  const secondTile = place(q ? tileFloats : 0);
  /** What gives a part of an array an address: where it is, or in the workspace, where it is put. */
  const addresses = (values: Values | undefined, most: number) => {
    const address = values?.byteOffset ?? 0; // before the memory may grow, which detaches its views
    const offset = isWithin || !values ? 0 : place(most);
    return (start: number, length: number, isRead = true): number => {
      if (!values) return 0;
      if (isWithin) return address + 4 * start;
      const to = room.address + offset;
      if (isRead) (values === labels ? room.ints : room.floats).set(values.subarray(start, start + length), to >>> 2);
      return to;
    };
  };
  const dense = blockRows * classes;
  const [xAt, qAt, outAt] = [addresses(x, dense), addresses(q, dense), addresses(out, 0)];
  // The module reads labels eight rows at a time, be there fewer: in place whatever lies behind them.
  const [labelsAt, recordAt] = [addresses(labels, blockRows + 8), addresses(record, 4 * blockRows)];
  const [dyAt, weightsAt] = [addresses(dy, blockRows), addresses(weights, classes)];
  const correctAt = addresses(correctOut, blockRows);
  const room = workspace.reserve(size);
  const store = (values: Values, start: number, length: number, from: number) =>
    values.set(room.floats.subarray(from >>> 2, (from >>> 2) + length), start);

  const isPerRow = dy !== undefined && dy.length > 1;
  if (module.workspace.value !== room.address) {
    module.workspace.value = room.address;
    module.begin();
  }
  setParameters(module, {
    tileRows,
    tile: room.address + tile,
    secondTile: room.address + secondTile,
    classes,
    classStride: across ? 4 * inner : 0,
    weights: weightsAt(0, classes),
    upstreamStep: isPerRow ? 4 : 0,
    labels: 0,
  });
  for (let first = 0; first < rows; first += blockRows) {
    const count = Math.min(blockRows, rows - first);
    const [start, length] = [first * classes, count * classes];
    if (labels) module.labels.value = labelsAt(first, count);
    if (dy) module.upstream.value = isPerRow ? dyAt(first, count) : dyAt(0, 1);
    const records = record ? recordAt(4 * first, 4 * count, record === arrays.record) : 0;
    module.record.value = records;
    const corrects = correctAt(first, count, false);
    module.correct.value = corrects;
    const from = xAt(start, length);
    const to = !out ? 0 : isWithin ? outAt(start, length) : from;
    run(count, from, qAt(start, length), to);
    if (isWithin) continue;
    if (out) store(out, start, length, to);
    if (arrays.recordOut) store(arrays.recordOut, 4 * first, 4 * count, records);
    if (correctOut) store(correctOut, first, count, corrects);
  }
}
