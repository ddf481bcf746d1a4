import type { ClassView } from '../../contract/class-view';
import { powerOfTwo } from '../gpu/device';

/**
 * Fours of numbers that a thread keeps in registers at most: with more, too few threads would run at a time, and shaders,
 * whose loops are unrolled, would take long to compile.
 */
const MOST_KEPT = 8;

/**
 * Threads of a workgroup: a multiple of what any device runs in lockstep, and few, since they meet at barriers; as many as it
 * takes to keep a row. The most, for longer rows and for sums over all rows, do not keep theirs: no second workgroup would
 * find registers beside them.
 */
const THREADS = 64;
const MOST_THREADS = 1024;
/** For rows that are neighbours in memory. */
const INNER_THREADS = 128;

/** Classes that keep a lane of a row busy: with fewer they would wait for one another longer than they work. */
const CLASSES_OF_LANE = 16;
/** The same of rows that are neighbours in memory, whose lanes do not read what is next to one another. */
const CLASSES_OF_INNER_LANE = 32;
/** Where threads take turns on a processor, waiting costs more, and workgroup memory is no faster than any other. */
const CLASSES_OF_SOFTWARE_LANE = 64;
/** The same of rows that are neighbours in memory: so many terms may be added up one after another. */
const CLASSES_OF_SOFTWARE_THREAD = 1024;
/** Rows that are neighbours in memory, and read together: whole lines of a cache. */
const ROWS_OF_LINE = 16;

/** How threads share the work. All numbers are powers of two, but for `kept`. */
interface Sharing {
  /** Of a workgroup. */
  readonly threads: number;
  /** Threads that share a row. A workgroup has as many rows as fit. */
  readonly lanes: number;
  /** Fours of numbers that a thread keeps of each of the tensors that it reads twice; 0 if a row does not fit. */
  readonly kept: number;
}

export function sharingOf({ rows, classes, inner }: ClassView, readTwice: number, backend: Adapter): Sharing {
  if (isSoftware(backend)) {
    const each = inner > 1 ? CLASSES_OF_SOFTWARE_THREAD : CLASSES_OF_SOFTWARE_LANE;
    return { threads: THREADS, lanes: Math.min(powerOfTwo(classes / each), THREADS), kept: 0 };
  }
  const least = inner > 1 ? INNER_THREADS : THREADS;
  const most = mostThreads(backend);
  const needed = powerOfTwo((classes * Math.max(1, readTwice)) / (4 * MOST_KEPT));
  const threads = Math.min(Math.max(least, needed), most);
  const together = inner > 1 ? Math.min(ROWS_OF_LINE, powerOfTwo(rows)) : 1;
  const each = inner > 1 ? CLASSES_OF_INNER_LANE : CLASSES_OF_LANE;
  const lanes = Math.min(powerOfTwo(classes / each), threads / together);
  const kept = Math.ceil(classes / (4 * lanes));
  return { threads, lanes, kept: readTwice > 0 && kept * readTwice <= MOST_KEPT && threads < most ? kept : 0 };
}

const mostThreads = ({ device: { limits } }: Adapter) =>
  Math.min(MOST_THREADS, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);

/** Threads of a workgroup that adds up numbers of rows. */
export const addingThreads = (backend: Adapter): number => (isSoftware(backend) ? THREADS : mostThreads(backend));
/** There are more workgroups than one where each of their threads has so many to add up; but no more than this. */
export const ADDED_BY_THREAD = 16;
export const ADDING_GROUPS = 64;

/** Chromium's and Dawn's own, which serves where there is no GPU, as in tests. */
const isSoftware = ({ adapterInfo }: Adapter) => adapterInfo?.architecture === 'swiftshader';

/** What we use of TensorFlow.js's `webgpu` backend to know what it runs on. */
export interface Adapter {
  readonly device: { readonly limits: WebGPULimits };
  readonly adapterInfo?: { readonly architecture?: string };
}

/** What we use of a device's limits. */
interface WebGPULimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
}
