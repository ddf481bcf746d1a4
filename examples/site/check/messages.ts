import type { HalfFloats, Verdict } from './verdict';

/** What a worker tells the page. */
export type CheckMessage =
  | { readonly type: 'started'; readonly device: string; readonly halfFloats: HalfFloats | null }
  | { readonly type: 'verdict'; readonly verdict: Verdict }
  | { readonly type: 'done'; readonly seconds: number }
  | { readonly type: 'absent'; readonly reason: string };
