import { instantiate } from '../simd/instantiate';
import { type Page, pageIn } from './page';
import { SIZE } from './page-layout';

let page: Page | undefined;

/** A page in a memory of its own, for tensors in typed arrays, which are copied there tile by tile. */
export function ownPage(): Page {
  page ??= simdPage() ?? pageIn(new ArrayBuffer(SIZE), 0, null);
  return page;
}

function simdPage(): Page | null {
  if (typeof WebAssembly === 'undefined') return null;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const run = instantiate(memory);
  return run && pageIn(memory.buffer, 0, run);
}
