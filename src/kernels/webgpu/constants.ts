import type { ClassView } from '../../ops/class-view';

/**
 * Threads of a workgroup: a multiple of what any device runs in lockstep, and few, since threads that meet at barriers
 * are what costs most where a CPU plays the GPU. A power of 4, as are the lanes that are reduced: they are merged four
 * at a time.
 */
export const THREADS = 64;

/** Fewer classes than this would leave most lanes of a shared row idle. */
const FEW_CLASSES = 64;
/** From here on a row keeps a whole workgroup busy. */
const MANY_CLASSES = 4096;

/**
 * How many threads of a workgroup, its lanes, share a row that is to be reduced; the rest of them have rows next to it.
 * Lanes wait for each other, so a short row is left to one of them.
 */
export function reducingLanes({ classes, inner }: ClassView): number {
  if (classes < FEW_CLASSES) return 1;
  if (inner > 1) return 4; // 16 rows that are neighbours in memory make reads of 64 bytes
  return classes < MANY_CLASSES ? 16 : 64;
}

/** The same for a row whose elements are to be written: neighbouring threads should write neighbouring elements. */
export function mappingLanes({ classes, inner }: ClassView): number {
  if (inner > 1) return 1;
  return classes < FEW_CLASSES ? 8 : 64;
}

/** Elements that a thread writes in one turn: enough to pay for what it prepares for the row. */
export const MAPPED_PER_THREAD = 64;

/**
 * Rows of more classes are reduced in chunks of so many, 256 a lane, which takes a dispatch more; but not if there are
 * enough rows to keep a device busy.
 */
export const CHUNK = 16384;
export const ENOUGH_ROWS = 2048;

/**
 * Workgroups of a dispatch, which take several turns where there is more to do: enough threads for the largest devices,
 * below the 65,535 workgroups that WebGPU allows, and few enough partial sums for one last workgroup.
 */
export const MAX_WORKGROUPS = 2048;

/** Terms that are added one after another: their rounding error grows with the count, that of blocks with its root. */
export const BLOCK = 16;
