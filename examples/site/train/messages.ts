import type { Figure } from '../../../bench/measure';
import type { Backend } from '../backends';

/** The two losses that can be compared. */
export type LossName = 'ours' | 'theirs';

/** What the page asks of the worker; in order, and between steps. */
export type TrainRequest =
  | { readonly type: 'backend'; readonly backend: Backend }
  | { readonly type: 'train' }
  | { readonly type: 'pause' }
  /** To the start, with one learner or two. */
  | { readonly type: 'reset'; readonly sideBySide: boolean }
  | { readonly type: 'read'; readonly image: Float32Array }
  | { readonly type: 'sample' };

/** How a model is doing. */
export interface Progress {
  readonly step: number;
  /** Means of the losses since the last report. */
  readonly losses: Partial<Record<LossName, number>>;
  /** Shares of held-out digits that are read correctly. */
  readonly accuracies: Partial<Record<LossName, number>>;
  /** Milliseconds a step, once there are enough. */
  readonly times: Partial<Record<LossName, Figure>>;
  /** Beyond what is there between steps, at the most. */
  readonly peaks: Partial<Record<LossName, { readonly bytes: number; readonly onGpu: boolean }>>;
}

/** What the worker tells. */
export type TrainMessage =
  /** A backend is active, or all is back at the start. */
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'reading'; readonly probabilities: Float32Array }
  | { readonly type: 'sample'; readonly image: Float32Array; readonly label: number }
  | { readonly type: 'failed'; readonly reason: string };
