import { classView } from '../../contract/class-view';
import type { Rows } from '../gpu/device';
import { fourDimensions } from './run';

/**
 * How the classes of a row lie in texels of 2 x 2 elements: side by side, one above the other, or, where the class
 * dimension is not one of the last two, each in a texel of its own. A `strip` is what a texel holds of the row that has
 * the `part`th of its elements; `rows` and `classes` say what the four are further than the first of them.
 */
const LAYOUTS = [
  { strip: 'vec2', ofTexel: 'part < 2 ? t.xy : t.zw', strips: 2, rows: ['0', '0', '1', '1'], classes: [0, 1, 0, 1] },
  {
    strip: 'vec2',
    ofTexel: '(part & 1) == 0 ? t.xz : t.yw',
    strips: 2,
    rows: ['0', '1', '0', '1'],
    classes: [0, 0, 1, 1],
  },
  { strip: 'float', ofTexel: 't[part]', strips: 4, rows: ['0', '1', 'width', 'width + 1'], classes: [0, 0, 0, 0] },
];

/** What makes a program know where the rows lie. */
export function layoutOf({ shape, dim, ints }: Rows) {
  const fromEnd = Math.min(2, Math.max(0, shape.length - 1 - dim));
  const { strip, ofTexel, strips, rows, classes } = LAYOUTS[fromEnd];
  const view = classView(shape, dim);
  const [, , height, width] = fourDimensions(shape);
  const [across, down] = [width, height].map((size) => Math.ceil(size / 2));
  const stride = [1, across, (view.inner / (height * width)) * across * down][fromEnd];
  return {
    view,
    rows,
    classes,
    ints: {
      ...ints,
      classes: view.classes,
      inner: view.inner,
      height,
      width,
      across,
      down,
      stride,
      classBits: fromEnd < 2 ? 1 : 0,
    },
    layout: /* glsl */ `
int first, part;
${strip} strip(vec4 t) { return ${ofTexel}; }
#define FOUR(at) vec4(${[0, 1, 2, 3]
      .slice(0, strips)
      .map((i) => `strip(at(i + ${i} * stride))`)
      .join(', ')})

// The texel of a class of a row, and the part of it.
int texelOf(int row, int c) {
  ivec2 o = place(row, inner);
  ivec2 e = place((o.y * classes + c) * inner + o.x, width);
  ivec2 line = place(e.y, height);
  part = (line.x & 1) * 2 + (e.x & 1);
  return (line.y * down + (line.x >> 1)) * across + (e.x >> 1);
}
void start(int row) { first = texelOf(row, 0); }
`,
  };
}

export type Layout = ReturnType<typeof layoutOf>;
