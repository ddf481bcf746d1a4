import { getKernel, type KernelFunc, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import type { KernelName, Kernels } from '../ops/contracts';
import { compositeKernels } from './composite';
import { cpuKernels } from './cpu';
import { tensorflowKernels } from './tensorflow';
import { wasmKernels } from './wasm';

/** The kernels of backends known by name, which get them on import; `/webgl` and `/webgpu` bring theirs. */
const KNOWN: Record<string, Kernels<never>> = {
  cpu: cpuKernels,
  wasm: wasmKernels,
  tensorflow: tensorflowKernels,
  webgl: compositeKernels,
  webgpu: compositeKernels,
};

/** Fused kernels that the user imports beside the main entry. */
export interface Provider {
  readonly backendName: string;
  /** Whether a backend is of this kind, whatever its name. */
  readonly serves: (backend: object) => boolean;
  readonly kernels: Kernels<never>;
}

const providers: Provider[] = [];

/** From now on these kernels serve, in place of the composite ones. */
export function provideKernels(provider: Provider): void {
  const { backendName, kernels } = provider;
  providers.push(provider);
  for (const kernelName of Object.keys(kernels)) {
    if (getKernel(kernelName, backendName) != null) unregisterKernel(kernelName, backendName);
  }
  register(backendName, kernels);
}

/** Gives a backend its kernels: those of its name, or of its kind, or else the composite of public ops. */
export function registerKernels(backendName: string, backend: object): void {
  const ofItsKind = () => providers.find(({ serves }) => serves(backend))?.kernels ?? compositeKernels;
  register(backendName, KNOWN[backendName] ?? ofItsKind());
}

/** Leaves those alone that the backend has already, be it by itself or by another copy of this package. */
function register(backendName: string, kernels: Kernels<never>): void {
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
