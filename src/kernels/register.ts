import { getKernel, type KernelFunc, registerKernel } from '@tensorflow/tfjs-core';
import type { KernelName, Kernels } from '../contract/kernels';
import { compositeKernels } from './composite';
import { cpuKernels } from './cpu';
import { isWebGL, isWebGPU } from './gpu/is-gpu';
import { tensorflowKernels } from './tensorflow';
import { wasmKernels } from './wasm';
import { webglKernels } from './webgl';
import { webgpuKernels } from './webgpu';

/** The kernels of backends known by name, which get them on import. */
const KNOWN: Record<string, Kernels<never>> = {
  cpu: cpuKernels,
  wasm: wasmKernels,
  tensorflow: tensorflowKernels,
  webgl: webglKernels,
  webgpu: webgpuKernels,
};

/** Gives a backend its kernels: those of its name, or of its kind, or else the composite of public ops. */
export function registerKernels(backendName: string, backend: object): void {
  const ofItsKind = () => (isWebGPU(backend) ? webgpuKernels : isWebGL(backend) ? webglKernels : compositeKernels);
  register(backendName, KNOWN[backendName] ?? ofItsKind());
}

/** Leaves those alone that the backend has already, be it by itself or by another copy of this package. */
export function register(backendName: string, kernels: Kernels<never>): void {
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

for (const [backendName, kernels] of Object.entries(KNOWN)) register(backendName, kernels);
