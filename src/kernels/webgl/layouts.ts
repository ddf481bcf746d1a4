/**
 * How the rows of a tensor lie in its texels of 2 x 2 elements, in GLSL. A *lane* is what a texel holds of one row: two
 * classes where the class dimension is one of the last two, else one. Two rows that share texels are a *pair*.
 */
export interface Layout {
  readonly lane: 'vec2' | 'float';
  readonly classesInTexel: 1 | 2;
  /** The classes of a texel's elements, less its first one. */
  readonly classes: string;
  /** The lane of `texel` that is the pair's row `part`, 0 or 1. */
  readonly laneOfPart: string;
  /** Gives the pair that a row is in, and sets `part`. */
  readonly pairOf: string;
  /** How many pairs there are. */
  pairs(planes: number, classes: number, height: number, width: number): number;
  /** Sets `firstTexel` and `stride`, the texels of a pair. */
  readonly locate: string;
  /** Of the texel at (plane, y, x): its first class, its first row, and which row has which lane. */
  readonly firstClass: string;
  readonly firstRow: string;
  readonly lanes: Readonly<Record<string, string>>;
}

/** The class dimension is the last one: two rows above each other are a pair. */
const COLUMNS: Layout = {
  lane: 'vec2',
  classesInTexel: 2,
  classes: 'vec4(0, 1, 0, 1)',
  laneOfPart: 'part == 0 ? texel.xy : texel.zw',
  pairOf: `
    int plane = row / HEIGHT;
    int y = row - plane * HEIGHT;
    part = y & 1;
    return plane * TEXELS_DOWN + (y >> 1);`,
  pairs: (planes, _classes, height) => planes * Math.ceil(height / 2),
  locate: `
    firstTexel = pair * TEXELS_ACROSS;
    stride = 1;`,
  firstClass: 'x',
  firstRow: 'plane * HEIGHT + y',
  lanes: { xy: 'row', zw: 'row + 1' },
};

/** It is the last but one: two columns side by side are a pair. */
const ROWS: Layout = {
  lane: 'vec2',
  classesInTexel: 2,
  classes: 'vec4(0, 0, 1, 1)',
  laneOfPart: 'part == 0 ? texel.xz : texel.yw',
  pairOf: `
    int plane = row / WIDTH;
    int x = row - plane * WIDTH;
    part = x & 1;
    return plane * TEXELS_ACROSS + (x >> 1);`,
  pairs: (planes, _classes, _height, width) => planes * Math.ceil(width / 2),
  locate: `
    int plane = pair / TEXELS_ACROSS;
    firstTexel = plane * TEXELS_IN_PLANE + pair - plane * TEXELS_ACROSS;
    stride = TEXELS_ACROSS;`,
  firstClass: 'y',
  firstRow: 'plane * WIDTH + x',
  lanes: { xz: 'row', yw: 'row + 1' },
};

/** It comes before those: a plane holds one class, a texel of it two pairs. */
const PLANES: Layout = {
  lane: 'float',
  classesInTexel: 1,
  classes: 'vec4(0)',
  laneOfPart: '(below ? texel.zw : texel.xy)[part]',
  pairOf: `
    int line = row / WIDTH;
    int x = row - line * WIDTH;
    part = x & 1;
    return line * TEXELS_ACROSS + (x >> 1);`,
  pairs: (planes, classes, height, width) => (planes / classes) * height * Math.ceil(width / 2),
  locate: `
    int line = pair / TEXELS_ACROSS;
    int plane = line / HEIGHT;
    int y = line - plane * HEIGHT;
    below = (y & 1) == 1;
    int planeOfClass0 = plane + plane / PLANES * PLANES * (CLASSES - 1);
    firstTexel = planeOfClass0 * TEXELS_IN_PLANE + (y >> 1) * TEXELS_ACROSS + pair - line * TEXELS_ACROSS;
    stride = PLANES * TEXELS_IN_PLANE;`,
  firstClass: 'plane / PLANES % CLASSES',
  firstRow: '((plane / PLANES / CLASSES * PLANES + plane % PLANES) * HEIGHT + y) * WIDTH + x',
  lanes: { x: 'row', y: 'row + 1', z: 'row + WIDTH', w: 'row + WIDTH + 1' },
};

/** By the class dimension, counted from the end. */
export function layoutOf(fromEnd: number): Layout {
  return fromEnd === 1 ? COLUMNS : fromEnd === 2 ? ROWS : PLANES;
}

/** The functions of GLSL that kernels build on; `view` is classes, planes of a class, height and width of a plane. */
export function layoutCode({ lane, classesInTexel, classes, laneOfPart, pairOf, locate }: Layout): string {
  return `
    #define Lane ${lane}
    #define CLASSES view[0]
    #define PLANES view[1]
    #define HEIGHT view[2]
    #define WIDTH view[3]
    #define TEXELS_ACROSS ((WIDTH + 1) >> 1)
    #define TEXELS_DOWN ((HEIGHT + 1) >> 1)
    #define TEXELS_IN_PLANE (TEXELS_DOWN * TEXELS_ACROSS)
    #define STEPS ((CLASSES + ${classesInTexel - 1}) / ${classesInTexel})

    // The row that this fragment looks at: its texels, and which lane of them.
    int firstTexel, stride, part;
    bool below;
    int pairOf(int row) { ${pairOf} }
    void locate(int pair) { ${locate} }
    int texelAt(int step) { return firstTexel + step * stride; }
    vec4 classesAt(int step) { return float(step * ${classesInTexel}) + ${classes}; }
    Lane classesFrom(int first) { return ${classesInTexel === 2 ? 'vec2(first, first + 1)' : 'float(first)'}; }
    Lane laneOfPart(vec4 texel, int part) { return ${laneOfPart}; }

    // The texel that holds a class, and its element.
    int texelOfClass(int c) { return texelAt(c / ${classesInTexel}); }
    float ofClass(vec4 texel, int c) {
      Lane lane = laneOfPart(texel, part);
      return ${classesInTexel === 2 ? '(c & 1) == 0 ? lane.x : lane.y' : 'lane'};
    }

    // A value at one class, 0 elsewhere.
    float only(float classes, float c, float value) { return classes == c ? value : 0.; }
    vec2 only(vec2 classes, float c, float value) {
      return vec2(only(classes.x, c, value), only(classes.y, c, value));
    }`;
}
