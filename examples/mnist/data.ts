/** Width and height of an image. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;

/** Images, one after the other, with pixels from 0 (paper) to 1 (ink), and the digits that they show. */
export interface Digits {
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

export interface Split {
  readonly train: Digits;
  readonly heldOut: Digits;
}
