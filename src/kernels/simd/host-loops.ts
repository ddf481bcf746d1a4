import { jsLoops } from '../host/js-loops';
import type { RowLoops } from '../host/row-loops';
import { instantiate } from './instantiate';
import { SimdLoops } from './simd-loops';

let loops: RowLoops | undefined;

/** Loops for tensors in typed arrays: SIMD, to whose own page of memory they are copied tile by tile, or JavaScript. */
export function hostLoops(): RowLoops {
  if (!loops) loops = pageLoops() ?? jsLoops;
  return loops;
}

function pageLoops(): RowLoops | null {
  if (typeof WebAssembly === 'undefined') return null;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const run = instantiate(memory);
  return run && new SimdLoops(run, memory.buffer, 0);
}
