import { classView } from '../../contract/class-view';
import type { Rows } from '../gpu/device';
import { fourDimensions } from './run';

/**
 * How the classes of a row lie in texels of 2 x 2 elements: side by side, one above the other, or, where the class
 * dimension is not one of the last two, each in a texel of its own. A `strip` is what a texel holds of the row that has
 * the `part`th of its elements. An element is at `u` and `v` of a `plane` of the last two dimensions: `ofRow` says where
 * that is, given its `row` and class `c`, and `ofElement` the other way round; `rows` and `classes` say what the four of a
 * texel are further than the first of them.
 */
const LAYOUTS = [
  {
    strip: 'vec2',
    ofTexel: 'mix(t.xy, t.zw, bvec2(part > 1))',
    strips: 2,
    ofRow: 'ivec2 at = IN_PLANE(row, height); int u = c, v = at.x, plane = at.y;',
    ofElement: 'int c = u, row = plane * height + v;',
    rows: ['0', '0', '1', '1'],
    classes: [0, 1, 0, 1],
  },
  {
    strip: 'vec2',
    ofTexel: 'mix(t.xz, t.yw, bvec2(part & 1))',
    strips: 2,
    ofRow: 'ivec2 at = IN_PLANE(row, width); int u = at.x, v = c, plane = at.y;',
    ofElement: 'int c = v, row = plane * width + u;',
    rows: ['0', '1', '0', '1'],
    classes: [0, 0, 1, 1],
  },
  {
    strip: 'float',
    ofTexel: 'mix(mix(t.x, t.y, bool(part & 1)), mix(t.z, t.w, bool(part & 1)), part > 1)',
    strips: 4,
    ofRow: `ivec2 line = place(row, width), at = place(line.y, height), ofClass = IN_CLASS(at.y);
  int u = line.x, v = at.x, plane = (ofClass.y * classes + c) * depth + ofClass.x;`,
    ofElement: `ivec2 ofClass = IN_CLASS(plane), at = place(ofClass.y, classes);
  int c = at.x, row = ((at.y * depth + ofClass.x) * height + v) * width + u;`,
    rows: ['0', '1', 'width', 'width + 1'],
    classes: [0, 0, 0, 0],
  },
];

/** What makes a program know where the rows lie. */
export function layoutOf({ shape, dim, ints }: Rows) {
  const fromEnd = Math.min(2, Math.max(0, shape.length - 1 - dim));
  const { strip, ofTexel, strips, ofRow, ofElement, rows, classes } = LAYOUTS[fromEnd];
  const view = classView(shape, dim);
  const [, planes, height, width] = fourDimensions(shape);
  const [across, down] = [width, height].map((size) => Math.ceil(size / 2));
  const depth = Math.max(1, view.inner / (height * width)); // planes of a class
  return {
    view,
    across,
    ofElement,
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
      depth,
      stride: [1, across, depth * across * down][fromEnd],
    },
    layout: /* glsl */ `
#define IN_PLANE(i, wide) ${planes > 1 ? 'place(i, wide)' : 'ivec2(i, 0)'}
#define IN_CLASS(plane) ${depth > 1 ? 'place(plane, depth)' : 'ivec2(0, plane)'}
int part;
${strip} strip(vec4 t) { return ${ofTexel}; }
#define FOUR(next) vec4(${Array(strips).fill('strip(next)').join(', ')})

// The texel of a class of a row, and the part of it.
int texelOf(int row, int c) {
  ${ofRow}
  part = (v & 1) * 2 + (u & 1);
  return (plane * down + (v >> 1)) * across + (u >> 1);
}
`,
  };
}

export type Layout = ReturnType<typeof layoutOf>;
