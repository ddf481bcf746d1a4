import type { ClassView } from '../../contract/class-view';

/** Threads of a workgroup: a multiple of what any device runs in lockstep, and few, since they meet at barriers. */
export const THREADS = 64;

/** Fewer classes than this would leave most lanes of a shared row idle. */
const FEW_CLASSES = 64;
/** From here on a row keeps a whole workgroup busy. */
const MANY_CLASSES = 4096;

/**
 * How many threads, its lanes, share a row that is to be reduced. Rows that are neighbours in memory have one each, and
 * short ones, since lanes wait for each other. A divisor of `THREADS`.
 */
export function reducingLanes({ classes, inner }: ClassView): number {
  if (classes < FEW_CLASSES || inner > 1) return 1;
  return classes < MANY_CLASSES ? 16 : 64;
}

/** The same for a row whose elements are to be written: neighbouring threads should write neighbouring elements. */
export function mappingLanes({ classes, inner }: ClassView): number {
  if (inner > 1) return 1;
  return classes < FEW_CLASSES ? 8 : 64;
}

/** Elements that a thread writes: enough to pay for what it prepares for the row. */
export const MAPPED_PER_THREAD = 64;

/**
 * Rows of more classes are reduced in chunks of so many, which takes a dispatch more; but not if there are enough rows
 * to keep a device busy.
 */
export const CHUNK = 16384;
export const ENOUGH_ROWS = 2048;

/** The same where a row has a single thread, which adds up so many terms one after another. */
export const CHUNK_OF_THREAD = 1024;
