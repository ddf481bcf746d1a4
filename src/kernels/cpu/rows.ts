import type { ClassView } from '../../ops/class-view';

/** Floats of one block of rows: what stays in a core's first caches. */
const BLOCK = 16384;
/** With the classes apart in memory, fewer positions than a cache line holds would read each line several times. */
const MIN_POSITIONS = 16;

/** Rows `first` to `first + count`, contiguous: class `c` of the block's row `r` is at `start + r * classes + c`. */
export interface Block {
  readonly first: number;
  readonly count: number;
  readonly start: number;
  /** In the order of the sources. */
  readonly sources: readonly Float32Array[];
  /** To be filled by the visitor, where an output was given. */
  readonly out: Float32Array;
}

const NOTHING = new Float32Array(0);

/**
 * Visits tensors of one class view in blocks of contiguous rows. Where the classes are contiguous already that is one
 * block, in place; where they are apart each block goes through a scratch that fits the cache, so that kernels know
 * one layout only.
 */
export function forEachBlock(
  view: ClassView,
  sources: readonly Float32Array[],
  out: Float32Array | undefined,
  visit: (block: Block) => void,
): void {
  const { outer, classes, inner, rows } = view;
  if (inner === 1) {
    visit({ first: 0, count: rows, start: 0, sources, out: out ?? NOTHING });
    return;
  }
  const size = Math.min(inner, Math.max(MIN_POSITIONS, Math.floor(BLOCK / Math.max(1, classes))));
  const scratches = sources.map(() => new Float32Array(size * classes));
  const outScratch = out ? new Float32Array(size * classes) : NOTHING;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i += size) {
      const count = Math.min(size, inner - i);
      const base = o * classes * inner + i;
      sources.forEach((source, s) => {
        gatherRows(source, base, scratches[s], count, view);
      });
      visit({ first: o * inner + i, count, start: 0, sources: scratches, out: outScratch });
      if (out) scatterRows(outScratch, out, base, count, view);
    }
  }
}

function gatherRows(from: Float32Array, base: number, to: Float32Array, count: number, { classes, inner }: ClassView) {
  for (let c = 0; c < classes; c++) {
    const slice = base + c * inner;
    for (let r = 0; r < count; r++) to[r * classes + c] = from[slice + r];
  }
}

function scatterRows(from: Float32Array, to: Float32Array, base: number, count: number, { classes, inner }: ClassView) {
  for (let c = 0; c < classes; c++) {
    const slice = base + c * inner;
    for (let r = 0; r < count; r++) to[slice + r] = from[r * classes + c];
  }
}
