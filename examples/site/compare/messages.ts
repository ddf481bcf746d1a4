import type { Mode } from '../../../bench/contender';
import type { Result } from '../../../bench/measure';
import type { Backend } from '../backends';

export interface Request {
  readonly backend: Backend;
  readonly shape: readonly number[];
  readonly mode: Mode;
}

/** What the worker tells the page. */
export type CompareMessage =
  | { readonly type: 'sample'; readonly count: number }
  | { readonly type: 'results'; readonly results: Result[]; readonly device: string }
  | { readonly type: 'failed'; readonly reason: string };
