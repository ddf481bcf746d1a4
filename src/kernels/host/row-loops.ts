import type { Values } from './host';

/**
 * A block of consecutive rows and consecutive classes, small enough for a core's first caches: class `c` of row `r` is
 * at `r * rowStride + c * classStride`, and one of the strides is 1.
 */
export interface Tile {
  readonly rows: number;
  readonly classes: number;
  readonly rowStride: number;
  readonly classStride: number;
}

/**
 * The loops over the elements of a tile: all that the kernels do with something of size rows x classes. What belongs
 * to a row is in lanes: element `r` of these arrays belongs to row `r` of the tile.
 */
export interface RowLoops {
  readonly max: LaneValues;
  readonly scale: LaneValues;
  readonly turn: LaneValues;
  readonly sum: Float64Array;
  readonly product: Float64Array;
  readonly mass: Float64Array;
  /** Room for two tiles. The operations below may write over what they read. */
  readonly scratch: readonly Float32Array[];
  /** Whether the loops can work on these elements where they are. */
  within(values: Values): boolean;

  /** `max = max(max, x)`. A NaN need not win: it shows in the sum of the exponentials. */
  peak(tile: Tile, x: Values): void;
  /**
   * `sum += exp(x - max)` and, where `out` is given, `out = scale * exp(x - max) + turn * g`. Where `max` is Infinity
   * the row is left out, and its `out` is 0.
   */
  exponentials(tile: Tile, x: Values, out?: Values, g?: Values): void;
  /** `product += g * (max - x)`, where a term with `g = 0` is 0 whatever `x` is, and `mass += g`. */
  dot(tile: Tile, x: Values, g: Values): void;
  /** `out = x - max - scale`. */
  logProbs(tile: Tile, x: Values, out: Values): void;
  /** `out = x * (g - scale)`. */
  centred(tile: Tile, x: Values, g: Values, out: Values): void;
  /** `out = scale * x + turn * g`; 0 where `max` is Infinity. */
  scaled(tile: Tile, x: Values, out: Values, g?: Values): void;
}

export type LaneValues = Float32Array | Float64Array;

/** Rows of a tile at most. */
export { LANES, TILE } from '../simd/layout';
