import type { ClassView } from '../../ops/class-view';
import type { Values } from './host';
import { LANES, type RowLoops, TILE, type Tile } from './row-loops';

/** With the classes apart in memory, fewer positions than a cache line holds would read each line several times. */
const MIN_POSITIONS = 16;

/** A tile of a group of rows, with the elements of the sources in it and room for those of the output. */
export interface GroupTile extends Tile {
  readonly firstClass: number;
  readonly sources: readonly Values[];
  readonly out: Values;
}

/** Consecutive rows, `first` to `first + rows`, whose tiles are visited one after another along the classes. */
export interface RowGroup {
  readonly first: number;
  readonly rows: number;
  /** Whether one tile holds all classes. */
  readonly whole: boolean;
  read(visit: (tile: GroupTile) => void): void;
  /** The visitor fills each tile's `out`, possibly over the first source: after it there is only `write`. */
  draft(visit: (tile: GroupTile) => void): void;
  /** The visitor fills each tile's `out`, which holds what a `draft` has put there. */
  write(visit: (tile: GroupTile) => void): void;
}

/**
 * Visits the rows of tensors of one class view in groups. Tensors whose classes are contiguous are used in place, as
 * far as the loops can reach them; others go through a scratch, slice by slice and without transposing: its size does
 * not depend on theirs.
 */
export function forEachGroup(
  view: ClassView,
  loops: RowLoops,
  sources: readonly Values[],
  out: Values | undefined,
  visit: (group: RowGroup) => void,
): void {
  const { outer, classes, inner } = view;
  if (inner === 1) {
    const rows = Math.max(1, Math.min(LANES, Math.floor(TILE / Math.max(1, classes))));
    for (let first = 0; first < outer; first += rows) {
      visit(new Group(view, loops, sources, out, first, Math.min(rows, outer - first)));
    }
    return;
  }
  const positions = Math.max(MIN_POSITIONS, Math.min(LANES, Math.floor(TILE / Math.max(1, classes)) & ~3));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i += positions) {
      visit(new Group(view, loops, sources, out, o * inner + i, Math.min(positions, inner - i)));
    }
  }
}

class Group implements RowGroup {
  private readonly padded: number;
  /** Classes of one tile. */
  private readonly span: number;
  private loaded?: readonly Values[];
  private drafted = false;

  constructor(
    private readonly view: ClassView,
    private readonly loops: RowLoops,
    private readonly tensors: readonly Values[],
    private readonly result: Values | undefined,
    readonly first: number,
    readonly rows: number,
  ) {
    this.padded = (rows + 3) & ~3;
    this.span = Math.min(view.classes, Math.floor(TILE / (view.inner === 1 ? rows : this.padded)));
  }

  get whole(): boolean {
    return this.span === this.view.classes;
  }

  read(visit: (tile: GroupTile) => void): void {
    this.sweep(visit, this.tensors, false);
  }

  draft(visit: (tile: GroupTile) => void): void {
    this.sweep(visit, this.tensors, !this.whole);
    this.drafted = true;
  }

  write(visit: (tile: GroupTile) => void): void {
    this.sweep(visit, this.drafted ? [this.result!, ...this.tensors.slice(1)] : this.tensors, true);
  }

  private sweep(visit: (tile: GroupTile) => void, tensors: readonly Values[], store: boolean): void {
    const { rows, padded, span, view, loops, result } = this;
    for (let firstClass = 0; firstClass < view.classes; firstClass += span) {
      const classes = Math.min(span, view.classes - firstClass);
      // What fits one tile is loaded once.
      if (!this.loaded || !this.whole) {
        this.loaded = tensors.map((values, index) => this.load(values, loops.scratch[index], firstClass, classes));
      }
      const inPlace = result !== undefined && this.inPlace(result);
      const out = inPlace ? this.part(result, firstClass, classes) : loops.scratch[0];
      const [rowStride, classStride] = view.inner > 1 ? [1, padded] : [classes, 1];
      visit({ rows, classes, rowStride, classStride, firstClass, sources: this.loaded, out });
      if (result && store && !inPlace) this.store(out, result, firstClass, classes);
    }
  }

  private inPlace(values: Values): boolean {
    return this.view.inner === 1 && this.loops.within(values);
  }

  /** Of contiguous rows. */
  private part(values: Values, firstClass: number, classes: number): Values {
    const start = this.first * this.view.classes + firstClass;
    return values.subarray(start, start + this.rows * classes);
  }

  private load(from: Values, scratch: Values, firstClass: number, classes: number): Values {
    if (this.inPlace(from)) return this.part(from, firstClass, classes);
    if (this.view.inner === 1) scratch.set(this.part(from, firstClass, classes));
    else this.forEachSlice(firstClass, classes, (at, slice, rows) => scratch.set(from.subarray(at, at + rows), slice));
    return scratch;
  }

  private store(scratch: Values, to: Values, firstClass: number, classes: number): void {
    if (this.view.inner === 1) this.part(to, firstClass, classes).set(scratch.subarray(0, this.rows * classes));
    else this.forEachSlice(firstClass, classes, (at, slice, rows) => to.set(scratch.subarray(slice, slice + rows), at));
  }

  /** The group's positions of one class after another: where they are in a tensor, and where in a scratch. */
  private forEachSlice(firstClass: number, classes: number, visit: (at: number, slice: number, rows: number) => void) {
    const { first, rows, padded, view } = this;
    const o = Math.floor(first / view.inner);
    const start = (o * view.classes + firstClass) * view.inner + (first - o * view.inner);
    for (let c = 0; c < classes; c++) visit(start + c * view.inner, c * padded, rows);
  }
}
