import { javascript } from '../host/javascript';
import type { RowKernels } from '../host/row-kernels';
import { simdRowKernels } from './row-kernels';
import { ownWorkspace } from './workspace';

let kernels: RowKernels | undefined;

/** The row kernels for tensors in typed arrays: in WebAssembly where that can be had. */
export function ownRowKernels(): RowKernels {
  kernels ??= (typeof WebAssembly === 'undefined' ? null : simdRowKernels(ownWorkspace())) ?? javascript;
  return kernels;
}
