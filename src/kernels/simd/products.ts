import type { Values } from '../host/host';
import type { Projection } from '../host/row-kernels';
import type { Module } from './module';
import type { Workspace } from './workspace';

/** Floats of a tile, the units that are worked on at a time, and what the rows have of them. */
const TILE = 65536;

/** `RowKernels.addProduct`: in place where the matrices are in the module's memory, else copied there tile by tile. */
export function addProduct(
  module: Module,
  workspace: Workspace,
  to: 'x' | 'w' | 'g',
  { x, w, g, features }: Projection,
): void {
  const [rows, units] = [x.length / features, w.length / features];
  const run = (x: number, w: number, g: number, count: number) => {
    const step = 4 * count;
    if (to === 'g') module.addDots(g, step, x, w, rows, count, features);
    else if (to === 'x') module.addProduct(x, g, step, 4, w, rows, count, features);
    // A single column would be a row of single elements.
    else if (features === 1) module.addProduct(w, x, 0, 4, g, 1, rows, count);
    else module.addProduct(w, g, 4, step, x, count, rows, features);
  };
  if (x.buffer === workspace.memory.buffer) {
    run(x.byteOffset, w.byteOffset, g.byteOffset, units);
    return;
  }
  const tile = Math.min(units, Math.max(8, Math.floor(TILE / (rows + features))));
  const reserved = module.RESERVED.value;
  const { address, floats } = workspace.reserve(reserved + 4 * (x.length + tile * (rows + features)));
  // In floats, not bytes.
  const xAt = (address + reserved) >>> 2;
  const wAt = xAt + x.length;
  const gAt = wAt + tile * features;
  const load = (at: number, values: Values, start: number, count: number) =>
    floats.set(values.subarray(start, start + count), at);
  const store = (at: number, values: Values, start: number, count: number) =>
    values.set(floats.subarray(at, at + count), start);
  floats.set(x, xAt);
  for (let first = 0; first < units; first += tile) {
    const count = Math.min(tile, units - first);
    const inW = [first * features, count * features] as const;
    const ofRows = (move: typeof load) => {
      for (let r = 0; r < rows; r++) move(gAt + r * count, g, r * units + first, count);
    };
    load(wAt, w, ...inW);
    ofRows(load);
    run(4 * xAt, 4 * wAt, 4 * gAt, count);
    if (to === 'w') store(wAt, w, ...inW);
    if (to === 'g') ofRows(store);
  }
  if (to === 'x') store(xAt, x, 0, x.length);
}
