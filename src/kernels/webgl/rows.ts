import { classView } from '../../ops/class-view';
import { read, type Shader } from '../gpu/device';
import { fourDimensions, type Program } from './run';

/**
 * How the classes of a row lie in texels of 2 x 2 elements: side by side, one above the other, or, where the class
 * dimension is not one of the last two, each in a texel of its own. `lane` is what a texel holds of the row whose
 * element is the `part` of it; `rows` and `classes` say what the four elements are further than the first.
 */
const LAYOUTS = [
  { lane: 'vec2', ofTexel: 'part < 2 ? t.xy : t.zw', rows: ['0', '0', '1', '1'], classes: [0, 1, 0, 1] },
  { lane: 'vec2', ofTexel: '(part & 1) == 0 ? t.xz : t.yw', rows: ['0', '1', '0', '1'], classes: [0, 0, 1, 1] },
  { lane: 'float', ofTexel: 't[part]', rows: ['0', '1', 'width', 'width + 1'], classes: [0, 0, 0, 0] },
];

const layoutOf = ({ shape, dim }: Shader) => Math.min(2, Math.max(0, shape.length - 1 - dim));

/** A program that knows the rows of a shader. */
export function rowsProgram(shader: Shader, program: Pick<Program, 'code' | 'quads' | 'ints'>): Program {
  const { shape, dim, sparse, floats } = shader;
  const { classes, inner } = classView(shape, dim);
  const [, , height, width] = fourDimensions(shape);
  const [across, down] = [width, height].map((size) => Math.ceil(size / 2));
  const stride = [1, across, (inner / (height * width)) * across * down][layoutOf(shader)];
  return { ...program, sparse, floats, ints: { classes, inner, height, width, across, down, stride, ...program.ints } };
}

/** Goes along a row: `start(row, class)`, then `<name>Next(class)` for four classes at a time, the ones after the last. */
export function alongRow(shader: Shader, code: string): Program {
  const { lane, ofTexel } = LAYOUTS[layoutOf(shader)];
  const lanes = lane === 'vec2' ? ['a', 'b'] : ['a', 'b', 'd', 'e'];
  const names = read(code, shader.dense).map(([name]) => name);
  const cursors = names.map(
    (name) => /* glsl */ `
ivec2 ${name}Place, ${name}Step;
${lane} ${name}Lane() {
  vec4 t = texelFetch(${name}, ${name}Place, 0);
  ${name}Place += ${name}Step;
  if (${name}Place.x >= ${name}Wide) ${name}Place += ivec2(-${name}Wide, 1);
  return ${ofTexel};
}
vec4 ${name}Next(int c) {
  ${lane} ${lanes.map((lane) => `${lane} = ${name}Lane()`).join(', ')};
  return vec4(${lanes.join(', ')});
}
float ${name}Of(int row, int c) { int i = texelOf(row, c); return texel(${name}, i, ${name}Wide)[part]; }
`,
  );
  const starts = names.map((name) => `${name}Place = place(i, ${name}Wide); ${name}Step = place(stride, ${name}Wide);`);
  return {
    dense: Object.fromEntries(names.map((name) => [name, shader.dense[name]])),
    code: /* glsl */ `
int part;
int texelOf(int row, int c) {
  int o = row / inner;
  ivec2 e = place((o * classes + c) * inner + row - o * inner, width);
  ivec2 line = place(e.y, height);
  part = (line.x & 1) * 2 + (e.x & 1);
  return (line.y * down + (line.x >> 1)) * across + (e.x >> 1);
}
${cursors.join('')}
void start(int row, int c) { int i = texelOf(row, c); ${starts.join(' ')} }
${code}`,
  };
}

/** The main function that gives each element its `value`. */
export function mapMain(shader: Shader): string {
  const { rows, classes } = LAYOUTS[layoutOf(shader)];
  const names = Object.keys(shader.dense);
  const elements = rows.map((row, i) => {
    const first = rows.indexOf(row);
    const terms = first === i ? `vec4 t${i} = prepare(row + ${row}); float label${i} = labelOf(row + ${row});` : '';
    const values = [...'xy'].map((name) => (names.includes(name) ? `${name}Here[${i}]` : '0.'));
    return `${terms} result[${i}] = value(t${first}, label${first}, c + ${classes[i]}, ${values.join(', ')});`;
  });
  return /* glsl */ `
void main() {
  int i = outTexel();
  ivec2 line = place(i, across);
  ivec2 plane = place(line.y, down);
  ivec2 at = 2 * ivec2(line.x, plane.x);
  ivec2 e = place((plane.y * height + at.y) * width + at.x, inner);
  int o = e.y / classes;
  int c = e.y - o * classes;
  int row = o * inner + e.x;
  ${names.map((name) => `vec4 ${name}Here = texel(${name}, i, ${name}Wide);`).join('\n')}
  vec4 result;
  ${elements.join('\n')}
  // Padding must be 0: TensorFlow.js's matMul adds it up.
  bvec2 more = lessThan(at + 1, ivec2(width, height));
  setOutput(mix(vec4(0.), result, bvec4(true, more.x, more.y, more.x && more.y)));
}`;
}
