import type { Answer } from './problem';

export const MODES = ['forward', 'gradient'] as const;

/** The loss alone, or the loss with its gradient by the logits. */
export type Mode = (typeof MODES)[number];

/** One way to compute the mean cross-entropy, holding the problem that it was made for. */
export interface Contender {
  readonly name: string;
  answer(): Promise<Answer>;
  /** Runs a number of steps one after another; gives the milliseconds that one took. */
  time(mode: Mode, steps: number): Promise<number>;
  /** What a step needs, where that can be known. */
  cost?(mode: Mode): Promise<Cost>;
  dispose?(): void;
}

export interface Cost {
  /** The most bytes that were allocated at once, beyond the inputs. */
  readonly peakBytes: number;
  /** The same of textures or buffers. */
  readonly peakGpuBytes?: number;
  /** Programs (webgl) or dispatches (webgpu). */
  readonly programs?: number;
}

export const OURS = 'tfjs-cross-entropy';
export const PYTORCH = 'PyTorch, 1 thread';
