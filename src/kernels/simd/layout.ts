/**
 * Where things are in the work memory of the SIMD kernels, in bytes from its start. Read by TypeScript and by
 * AssemblyScript, hence plain numbers.
 */

/** Floats of a tile at most, its rows rounded up to whole vectors where they are side by side. */
export const TILE = 6144;
/** Rows of a tile at most. What belongs to a row is in *lanes*: element `r` of these arrays belongs to row `r`. */
export const LANES = 384;

/** float32 constants of exp. */
export const CONSTANTS = 0;
/** Three vectors, for the elements of a row that fill none. */
export const TAIL = 64;

// float32, a lane each, and four more: to work on one row with all lanes of a vector.
export const MAX = 128;
export const SCALE = 1680;
export const TURN = 3232;

// float64, likewise.
export const SUM = 4784;
export const PRODUCT = 7888;
export const MASS = 10992;

/** Two tiles. */
export const TILES = 14096;
/** All of it fits one page of WebAssembly memory. */
export const SIZE = 63248;

/** What to do with a tile. */
export const PEAK = 0;
export const EXPONENTIALS = 1;
export const DOT = 2;
export const LOG_PROBS = 3;
export const CENTRED = 4;
export const SCALED = 5;
