/**
 * The page that the row loops work in: where things are in it, in bytes from its start. Read by TypeScript and by
 * AssemblyScript, hence plain numbers.
 */

/** float32 constants of exp. */
export const CONSTANTS = 0;
/** The constant 1, which is also the upstream gradient of a gradient found along with its loss. */
export const ONE = 36;

/** What is left at the end of a row that fills no strand: 32 bytes of each array. */
export const TAIL = 128;

// What is the same for all rows of a call: first float64, then float32, then int32.
/** Sums of the two parts of the rows' losses. */
export const LIKELIHOOD = 64;
export const SMOOTHING = 72;
/** 1 / divisor. */
export const PER_DIVISOR = 80;
/** What a label's class counts in the loss of its row, and what all classes together count besides. */
export const LABEL_SHARE = 88;
export const SPREAD_MASS = 96;
/** The coefficient of a class is `(q * Q_SHARE + SHARE) * w`, without what is missing of it. */
export const Q_SHARE = 104;
export const SHARE = 108;
/** What the maximum starts with. */
export const LOWEST = 112;
export const IGNORE_INDEX = 116;
/** Bytes from one row's upstream gradient to the next one's: 0 for a scalar. */
export const DY_STEP = 120;
/** Whether the records of labels' rows hold class weights before they are made: 1, or 0. */
export const WEIGHTED = 124;

/**
 * What is known of a row while it is worked on is in *lanes*, in groups of eight rows: eight float32 each, then eight
 * float64 each. The lanes of the first group may also work on one row together.
 */
export const GROUPS = 256;
export const MAX = 0;
export const SCALE = 32;
export const TURN = 64;
/** The input at the label. */
export const PICKED = 96;
export const SUM = 128;
export const PRODUCT = 192;
export const MASS = 256;
/** Bytes of a group. */
export const GROUP = 320;

/** Rows of a tile at most. No power of two: the classes of a tile would share few cache lines. */
export const LANES = 240;

/** Room for what belongs to the rows of a tile, where the page is not in the tensors' memory. */
export const LABELS = 9856;
export const DY = 10816;
export const RECORD = 11776;

/** Contiguous rows of no more classes are worked on eight at a time, turned; there is room for two arrays. */
export const NARROW = 64;
export const TURNED = 15616;

/** Room for tiles: half of it for coefficients where there are some. All of the page fits one of WebAssembly's. */
export const TILES = 19712;
export const Q_TILE = 42368;
export const SIZE = 65024;
/** Floats of all tiles. */
export const TILE = 11328;

// What to do with the rows of a tile, in this order, in bits; see `assembly/index.ts`.
/** Nothing is known of the rows yet. */
export const START = 1;
/** Takes the terms of the gradient from the records. */
export const RECALL = 2;
/** Finds the maxima. */
export const PEAK = 4;
/** Sums what classes count, and that times their distance from the maximum. */
export const DOT = 8;
/** Sums exp(x - max). */
export const EXPONENTIALS = 16;
/** From the sums, makes the records of a loss, or the terms of a softmax's result. */
export const FINISH_LOSS = 32;
export const FINISH_LOG_SOFTMAX = 64;
export const FINISH_SOFTMAX = 128;
export const FINISH_LOG_SOFTMAX_GRAD = 256;
export const FINISH_SOFTMAX_GRAD = 512;
/** Writes `scale * exp(x - max) + turn * coefficient`, `x - max - log(sum)`, or `x * (q - scale)`. */
export const SCALED = 1024;
export const LOG_PROBS = 2048;
export const CENTRED = 4096;
// Those that make something of complete sums, and those that write results.
export const FINISHES =
  FINISH_LOSS | FINISH_LOG_SOFTMAX | FINISH_SOFTMAX | FINISH_LOG_SOFTMAX_GRAD | FINISH_SOFTMAX_GRAD;
export const WRITES = SCALED | LOG_PROBS | CENTRED;
// And how.
/** Classes have coefficients, besides a label's. */
export const SPREAD = 8192;
/** The exponentials are kept in the result, to be scaled. */
export const KEEP = 16384;
