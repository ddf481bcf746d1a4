/**
 * How the rows of a tensor lie in its texels of 2 x 2 elements. A *lane* is what a texel holds of one row: two classes
 * where the class dimension is one of the last two, else one. Kernels compute with lanes, and are the same for all.
 */
export interface Layout {
  readonly laneType: 'vec2' | 'float';
  readonly classesInTexel: number;
  readonly classesInPlane: boolean;
  /** Classes `class` and following of a lane, as a lane. */
  readonly classes: string;
  /** Sets `firstTexel` and `stride`, the texels of a row, and `part`, which lane of them it is. */
  readonly locate: string;
  /** The lane of a texel. */
  readonly lane: string;
  /** Of texel (plane, y, x): its first class, its first row, and which row has which lane. */
  readonly firstClass: string;
  readonly firstRow: string;
  readonly lanes: readonly (readonly [swizzle: string, row: string])[];
}

/** The class dimension is the last one. */
const COLUMNS: Layout = {
  laneType: 'vec2',
  classesInTexel: 2,
  classesInPlane: true,
  classes: 'vec2(first, first + 1)',
  locate: `
    int plane = row / HEIGHT;
    int y = row - plane * HEIGHT;
    firstTexel = plane * TEXELS_IN_PLANE + y / 2 * TEXELS_ACROSS;
    stride = 1;
    part = y % 2;`,
  lane: 'part == 0 ? texel.xy : texel.zw',
  firstClass: 'x',
  firstRow: 'plane * HEIGHT + y',
  lanes: [
    ['xy', 'row'],
    ['zw', 'row + 1'],
  ],
};

/** It is the last but one. */
const ROWS: Layout = {
  laneType: 'vec2',
  classesInTexel: 2,
  classesInPlane: true,
  classes: 'vec2(first, first + 1)',
  locate: `
    int plane = row / WIDTH;
    int x = row - plane * WIDTH;
    firstTexel = plane * TEXELS_IN_PLANE + x / 2;
    stride = TEXELS_ACROSS;
    part = x % 2;`,
  lane: 'part == 0 ? texel.xz : texel.yw',
  firstClass: 'y',
  firstRow: 'plane * WIDTH + x',
  lanes: [
    ['xz', 'row'],
    ['yw', 'row + 1'],
  ],
};

/** It comes before those: a texel holds one class of four rows. */
const PLANES: Layout = {
  laneType: 'float',
  classesInTexel: 1,
  classesInPlane: false,
  classes: 'float(first)',
  locate: `
    int plane = row / (HEIGHT * WIDTH);
    int inPlane = row - plane * HEIGHT * WIDTH;
    int y = inPlane / WIDTH;
    int x = inPlane - y * WIDTH;
    int outer = plane / PLANES;
    firstTexel = (plane + outer * PLANES * (CLASSES - 1)) * TEXELS_IN_PLANE + y / 2 * TEXELS_ACROSS + x / 2;
    stride = PLANES * TEXELS_IN_PLANE;
    part = y % 2 * 2 + x % 2;`,
  lane: 'part < 2 ? (part == 0 ? texel.x : texel.y) : (part == 2 ? texel.z : texel.w)',
  firstClass: 'plane / PLANES % CLASSES',
  firstRow: '((plane / PLANES / CLASSES * PLANES + plane % PLANES) * HEIGHT + y) * WIDTH + x',
  lanes: [
    ['x', 'row'],
    ['y', 'row + 1'],
    ['z', 'row + WIDTH'],
    ['w', 'row + WIDTH + 1'],
  ],
};

/** By the class dimension, counted from the end. */
export function layoutOf(fromEnd: number): Layout {
  return fromEnd === 1 ? COLUMNS : fromEnd === 2 ? ROWS : PLANES;
}
