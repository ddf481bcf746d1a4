import type { ClassView } from '../../contract/class-view';
import { powerOfTwo } from '../gpu/device';

/** Threads of a workgroup: a multiple of what any device runs in lockstep, and few, since they meet at barriers. */
const THREADS = 64;
/** For rows that keep so many busy. */
const MANY_CLASSES = 2048;
const MANY_THREADS = 256;
/** For rows so few and long that each should keep as much of a device busy as a workgroup can. */
const FEW_ROWS = 128;
const MOST_CLASSES = 16384;
const MOST_THREADS = 1024;

/** Classes that keep a lane of a row busy: with fewer they would wait for one another longer than they work. */
const CLASSES_OF_LANE = 16;
/** Where threads take turns on a processor, waiting costs more, and workgroup memory is no faster than any other. */
const CLASSES_OF_SOFTWARE_LANE = 64;
/** The same of rows that are neighbours in memory: so many terms may be added up one after another. */
const CLASSES_OF_SOFTWARE_THREAD = 1024;
/** Rows that are neighbours in memory, and read together: whole lines of a cache. */
const ROWS_OF_LINE = 16;

/** Fours of numbers that a thread keeps in workgroup memory at most: with more, too few workgroups would run at a time. */
const MOST_KEPT = 8;

/** How threads share the work. All numbers are powers of two, but for `kept`. */
export interface Sharing {
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
  const { limits } = backend.device;
  const long = inner > 1 ? classes > CLASSES_OF_LANE * ROWS_OF_LINE : classes > MANY_CLASSES;
  const longest = rows < FEW_ROWS && classes > MOST_CLASSES;
  const together = inner > 1 ? Math.min(ROWS_OF_LINE, powerOfTwo(rows)) : 1;
  const threads = longest
    ? Math.min(MOST_THREADS, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX)
    : long
      ? MANY_THREADS
      : THREADS;
  const lanes = Math.min(powerOfTwo(classes / CLASSES_OF_LANE), threads / together);
  const fours = limits.maxComputeWorkgroupStorageSize / (16 * threads) - 1;
  const kept = readTwice > 0 ? Math.min(MOST_KEPT, Math.floor(fours / readTwice)) : 0;
  return { threads, lanes, kept: classes <= 4 * lanes * kept ? kept : 0 };
}

/** Threads of a workgroup that adds up numbers of rows. */
export const addingThreads = (backend: Adapter): number => (isSoftware(backend) ? THREADS : MANY_THREADS);
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
export interface WebGPULimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
}
