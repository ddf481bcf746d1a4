export const MODES = ['forward', 'gradient'] as const;

/** The loss alone, or the loss with its gradient by the logits. */
export type Mode = (typeof MODES)[number];

/** One way to compute the mean cross-entropy, holding the problem that it was made for. */
export interface Contender {
  readonly name: string;
  readonly modes: readonly Mode[];
  /** What is wrong with its answer, in words; `null` if nothing is. */
  check(): Promise<string | null>;
  /** Runs a number of steps one after another; gives the milliseconds that one took. */
  time(mode: Mode, steps: number): Promise<number>;
  /** What a step needs, where that can be known. */
  cost?(mode: Mode): Promise<Cost | undefined>;
  collectGarbage?(): Promise<void>;
  dispose?(): void;
}

/** A contender, and where it takes its turns: `node/cpu`, `chromium/webgl`; `node` alone if it has no backend. */
export interface Seated extends Contender {
  readonly backend: string;
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
export const OURS_UPSTREAM = 'tfjs-cross-entropy, loss x 128';
/** What TensorFlow.js offers "today" against us: the faster of the two that do the same. */
export const TODAY = ['tf.losses.softmaxCrossEntropy', 'logSoftmax x one-hot'];
export const FRESH_ARRAY = "fresh array of the gradient's size";
export const JAX = 'jax-js, jitted';
export const JS_PYTORCH = 'js-pytorch';
export const NANOGPT = '@genai-fi/nanogpt';
export const PYTORCH = 'PyTorch, 1 thread';
