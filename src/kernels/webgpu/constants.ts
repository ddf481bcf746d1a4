import type { ClassView } from '../../ops/class-view';

/** The threads of a workgroup: `lanes` that share a row, for each of `rows` neighbouring rows. */
export interface Team {
  readonly lanes: number;
  readonly rows: number;
}

export const ONE_ROW_A_THREAD: Team = { lanes: 1, rows: 64 };

/** Fewer classes than this would leave most lanes of a shared row idle. */
const FEW_CLASSES = 64;
/** From here on a row keeps 256 threads busy, as many as every WebGPU device has in a workgroup. */
const MANY_CLASSES = 4096;

/** For reductions. Lanes wait for each other, so a short row is left to one of them. */
export function reducingTeam({ classes, inner }: ClassView): Team {
  if (classes < FEW_CLASSES) return ONE_ROW_A_THREAD;
  if (inner > 1) return { lanes: 8, rows: 32 }; // 32 neighbours fill a cache line of 128 bytes
  return { lanes: classes < MANY_CLASSES ? 64 : 256, rows: 1 };
}

/** For writing each element: neighbouring threads should write neighbouring elements. */
export function mappingTeam({ classes, inner }: ClassView): Team {
  if (inner > 1) return ONE_ROW_A_THREAD;
  return classes < FEW_CLASSES ? { lanes: 8, rows: 8 } : { lanes: 64, rows: 1 };
}

/** Elements that a thread writes in one turn: enough to pay for what it prepares for the row. */
export const MAPPED_PER_THREAD = 64;

/** Rows of more classes are reduced in chunks, a dispatch more, unless there are enough rows to keep a device busy. */
export const UNCUT_CLASSES = 16384;
export const ENOUGH_ROWS = 1024;
/** Classes of a chunk: 16 for each of 256 threads. */
export const CHUNK = 4096;

/**
 * Workgroups of a dispatch, which take several turns where there is more to do. With 64 threads each they fill the
 * largest devices, are below the 65,535 that WebGPU allows, and leave few enough partial sums for one last workgroup.
 */
export const MAX_WORKGROUPS = 4096;

/** Threads of that last one: as many as every WebGPU device has. */
export const SUM_THREADS = 256;
