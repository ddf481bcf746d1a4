import type { Verdict } from './verdict';

/** What a worker tells the page. */
export type CheckMessage =
  | { readonly type: 'started'; readonly device: string }
  | { readonly type: 'verdict'; readonly verdict: Verdict }
  | { readonly type: 'done'; readonly seconds: number }
  | { readonly type: 'absent'; readonly reason: string };
