/// <reference types="vite/client" />

declare module 'virtual:digits' {
  interface PackedDigits {
    /** A byte a pixel, gzipped, in base64. */
    readonly pixels: string;
    /** A character a digit. */
    readonly labels: string;
  }
  export const train: PackedDigits;
  export const heldOut: PackedDigits;
}

/** Put in by `vite.config.ts`. */
declare const __FACTS__: {
  readonly library: string;
  readonly tfjs: string;
  readonly pytorch: string;
  /** How many cases of PyTorch's are checked. */
  readonly cases: number;
};
