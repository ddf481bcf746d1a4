import { type KernelBackend, memory } from '@tensorflow/tfjs';

type Run = (...args: unknown[]) => unknown;

/** What the GPU backends run each program with. */
const METHODS = ['runWebGLProgram', 'runWebGPUProgram'];

const methodOf = (backend: KernelBackend) => METHODS.find((name) => name in backend);

export const isGpu = (backend: KernelBackend): boolean => methodOf(backend) !== undefined;

/** Counts the programs that `f` runs on a GPU, and the most bytes that it holds there beyond what it found. */
export function meterPrograms(backend: KernelBackend, f: () => void) {
  const methods = backend as unknown as Record<string, Run>;
  const method = methodOf(backend)!;
  const original = methods[method];
  const bytes = () => (memory() as { numBytesInGPU?: number }).numBytesInGPU ?? 0;
  const before = bytes();
  let programs = 0;
  let peak = before;
  methods[method] = (...args) => {
    programs++;
    const output = original.apply(backend, args);
    peak = Math.max(peak, bytes());
    return output;
  };
  try {
    f();
  } finally {
    delete methods[method]; // the class's own shows again
  }
  return { programs, peakGpuBytes: peak - before };
}
