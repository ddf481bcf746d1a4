/** What is the same for all rows of a call. The host sets these by name before it runs a kernel; 0 stands for none. */

/** Where the module works: `RESERVED` bytes for itself, behind them the tiles. */
export let workspace: usize = 0;
/** Rows of a tile at most, where the classes of a row are apart, and where its two arrays go. */
export let tileRows: usize = 0;
export let tile: usize = 0;
export let secondTile: usize = 0;

export let classes: usize = 0;
/** Bytes from class to class; 0 where the classes of a row lie side by side. */
export let classStride: usize = 0;

/**
 * Of the rows, one each: int32 labels, float32 upstream gradients `upstreamStep` bytes apart, four float32 a record, and
 * a float32 that says whether the label has the largest logit.
 */
export let labels: usize = 0;
export let upstream: usize = 0;
export let upstreamStep: usize = 0;
export let record: usize = 0;
export let correct: usize = 0;

/** What `record.ts` calls by these names. */
export let weights: usize = 0;
export let ignoreIndex: i32 = 0;
export let labelShare: f64 = 0;
export let hasClassCoefficients: i32 = 0;
export let probabilityShare: f32 = 0;
export let uniformShare: f32 = 0;
export let perDivisor: f64 = 0;

/** What the losses of the rows add up to: results, which the host sets to 0. */
export let likelihoods: f64 = 0;
export let smoothings: f64 = 0;

/** One upstream gradient for all rows. */
export function setUpstream(address: usize): void {
  upstream = address;
  upstreamStep = 0;
}

/** Bytes from record to record: 0 where nobody wants them, and all go to the same place. */
let recordStep: usize = 0;

export function beginRows(scratch: usize): void {
  recordStep = record ? 16 : 0;
  if (!record) record = scratch;
}

/** Moves on to the next rows. */
export function advance(rows: usize): void {
  if (labels) labels += rows << 2;
  if (correct) correct += rows << 2;
  record += rows * recordStep;
  upstream += rows * upstreamStep;
}

export function addLosses(likelihood: f64, smoothing: f64): void {
  likelihoods += likelihood;
  smoothings += smoothing;
}
