import { type Contender, FRESH_ARRAY } from './contender';
import type { Problem } from './problem';

/** No loss, but what no loss on the cpu backend goes without: its gradient is an array of its own, written once. */
export function freshArrayContender({ logits: { length } }: Problem): Contender {
  let array = new Float32Array();
  return {
    name: FRESH_ARRAY,
    modes: ['gradient'],
    check: async () => null,
    async time(_, steps) {
      const start = performance.now();
      for (let i = 0; i < steps; i++) array = new Float32Array(length).fill(i);
      return (performance.now() - start) / steps;
    },
    dispose() {
      array = array.subarray(0, 0);
    },
  };
}
