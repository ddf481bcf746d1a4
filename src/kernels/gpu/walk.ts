/**
 * What is known of some classes of a row: their maximum, the `sum of exp(x - max)`, and of coefficients `k`, if there
 * are any, the `sum of k * (max - x)` and the sum.
 */
const STATE = /* glsl */ `
vec4f nothing() { return vec4f(LOWEST, 0., 0., 0.); }

vec4f merge(vec4f a, vec4f b) {
  f32 high = max(a.x, b.x);
  return vec4f(
    high,
    a.y * expOf(a.x - high) + b.y * expOf(b.x - high),
    a.z + times(a.w, high - a.x) + (b.z + times(b.w, high - b.x)),
    a.w + b.w);
}
`;

/** Vectors that are read before their exponentials are added: one correction of the sum so far for all of them. */
const VECTORS = [0, 1, 2, 3];
const each = (code: (j: number) => string, separator = '\n') => VECTORS.map(code).join(separator);

/** NaN and +Infinity show in a sum of all elements, scaled so as not to overflow by itself; the sum is NaN then. */
export const walk = (coefficient?: string, skipped = 'false') => /* glsl */ `
${STATE}
${coefficient ? `vec4f coefficient(i32 c, vec4f x) { return ${coefficient}; }` : ''}
vec4f within(vec4f x, i32 c, i32 end, f32 other) {
  return select(vec4f(other), x, lessThan(vec4f(f32(c)) + f32(lanes) * vec4f(0., 1., 2., 3.), vec4f(f32(end))));
}

vec4f walk(i32 row, i32 begin, i32 end) {
  vec4f s = nothing();
  if (${skipped}) { return s; }
  f32 probe = 0.;
  start(row, begin);
  for (i32 c = begin; c < end; c += 16 * lanes) {
    ${each((j) => `vec4f x${j} = within(xNext(c + ${4 * j} * lanes), c + ${4 * j} * lanes, end, -INFINITY);`)}
    vec4f m = max(max(x0, x1), max(x2, x3));
    f32 high = max(max(m.x, m.y), max(m.z, m.w));
    if (high > s.x) { s = merge(s, vec4f(high, 0., 0., 0.)); }
    high = s.x;
    probe += ${each((j) => `dot(x${j}, vec4f(1e-6))`, ' + ')};
    s.y += dot(${each((j) => `exp4(x${j} - high)`, ' + ')}, vec4f(1.));
    ${
      coefficient
        ? each(
            (j) => `vec4f k${j} = within(coefficient(c + ${4 * j} * lanes, x${j}), c + ${4 * j} * lanes, end, 0.);
    s.z += dot(times4(k${j}, high - x${j}), vec4f(1.));
    s.w += dot(k${j}, vec4f(1.));`,
          )
        : ''
    }
  }
  if (isNaN(probe) || probe == INFINITY) { s.y = NAN; }
  return s;
}
`;

/** The states of a row's chunks. */
export const WALK_CHUNKS = /* glsl */ `
${STATE}
vec4f walk(i32 row, i32 begin, i32 end) {
  vec4f s = nothing();
  for (i32 i = begin; i < end; i++) { s = merge(s, statesAt(row * end + i)); }
  return s;
}
`;

/** For what has no softmax. */
export const NO_WALK = /* glsl */ `
${STATE}
vec4f walk(i32 row, i32 begin, i32 end) { return vec4f(0., 1., 0., 0.); }
`;

/** A sum of records. In runs, whose rounding errors do not add up as those of a single one would. */
export const TOTAL = /* glsl */ `
vec4f totalOf(i32 begin, i32 end, i32 step) {
  vec4f total = vec4f(0.);
  for (i32 run = begin; run < end; run += 32 * step) {
    vec4f part = vec4f(0.);
    for (i32 i = run; i < min(run + 32 * step, end); i += step) { part += recordAt(i); }
    total += part;
  }
  return total;
}
`;
