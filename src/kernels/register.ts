import { getKernel, type KernelFunc, registerKernel } from '@tensorflow/tfjs-core';
import type { KernelName, Kernels } from '../ops/contracts';
import { compositeKernels } from './composite';
import { cpuKernels } from './cpu';
import { webgpuKernels } from './webgpu';
import { isWebGPU } from './webgpu/backend';

/** A backend whose data lives on a device: what it cannot check without a readback shows as NaN. */
const DEVICE = compositeKernels({ hostTargets: false });
const HOST = compositeKernels({ hostTargets: true });

/** The backends we know by name; they get their kernels on import. */
const KNOWN: Record<string, Kernels<never>> = {
  cpu: cpuKernels,
  wasm: HOST,
  tensorflow: HOST,
  webgl: DEVICE,
  webgpu: webgpuKernels,
};

/** The kernels for a backend with another name, by what it can do. */
const kernelsFor = (backend: object): Kernels<never> => (isWebGPU(backend) ? webgpuKernels : DEVICE);

/** Gives a backend our kernels, but for those it has already, be it by itself or by another copy of this package. */
export function registerKernels(backendName: string, backend: object): void {
  const kernels = KNOWN[backendName] ?? kernelsFor(backend);
  for (const kernelName of Object.keys(kernels) as KernelName[]) {
    if (getKernel(kernelName, backendName) != null) continue;
    const run = kernels[kernelName] as (...args: unknown[]) => ReturnType<KernelFunc>;
    registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) => run(inputs, attrs, backend),
    });
  }
}

for (const backendName of Object.keys(KNOWN)) registerKernels(backendName, {});
