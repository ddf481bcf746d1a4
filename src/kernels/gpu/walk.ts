import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Code, type Input, type Loop, type Named, piece, quads, type Walk } from './code';

/**
 * What is known of some classes of a row: their maximum, the `sum of exp(x - max)`, and of coefficients `k`, if there
 * are any, the `sum of k * (max - x)` and the sum. NaN and +Infinity make the second NaN, and the last as well unless
 * all coefficients are 0.
 */
export const STATE = piece(/* glsl */ `
vec4f nothing() { return vec4f(-3.4028234e38, 0., 0., 0.); }

vec4f merge(vec4f a, vec4f b) {
  f32 high = max(a.x, b.x);
  return vec4f(
    high,
    a.y * expOf(a.x - high) + b.y * expOf(b.x - high),
    a.z + times(a.w, high - a.x) + (b.z + times(b.w, high - b.x)),
    a.w + b.w);
}
`);

const walk = (body: (loop: Loop) => string, reads: Named<Input>, calls: readonly Code[] = []): Walk => ({
  reads,
  code: (loop) =>
    piece(
      /* glsl */ `
vec4f walk(i32 row, i32 begin, i32 end) {
  vec4f s = nothing();
  ${body(loop)}
  return s;
}
`,
      reads,
      [STATE, ...calls],
    ),
});

/** For what has no softmax. */
export const NO_WALK = walk(() => '', {});

/** The states of a row's chunks. */
export const walkChunks = (states: TensorInfo) =>
  walk(() => 'for (i32 i = 0; i < end; i++) { s = merge(s, statesAt(row * end + i)); }', { states: quads(states) });

/** A vector of four classes. */
export const four = (element: (part: string, c: string) => string) =>
  `vec4f(${[...'xyzw'].map((part, i) => element(part, `c + ${i} * apart`)).join(', ')})`;

/**
 * The classes of a row of `x`; not at all where its label, if there are `labels`, says that it is ignored. The
 * coefficients of four classes, if there are any, are an expression of their `c`, `x`, and `y` if that is read.
 * NaN and +Infinity show in `probe`, a sum of all elements, scaled so as not to overflow by itself; only then it matters
 * whether any coefficient is not 0.
 */
export const walkClasses = (reads: Named<Input>, coefficients = '', calls: readonly Code[] = []): Walk => {
  const present = (expression: string, absent: string) =>
    `select(${expression}, vec4f(${absent}), lessThan(f32(end - c) - f32(apart) * vec4f(0., 1., 2., 3.), vec4f(1.)))`;
  const k = (next: (name: string) => string) =>
    `${reads.y ? `vec4f y = ${next('y')};` : ''} vec4f k = ${present(coefficients, '0.')};`;
  return walk(
    (loop) => /* glsl */ `
  ${reads.labels ? 'if (labelsAt(row) == ignoreIndex) { return s; }' : ''}
  f32 probe = 0.;
  ${loop(
    (next) => `
    vec4f x = ${present(next('x'), '-INFINITY')};
    f32 high = max(max(x.x, x.y), max(x.z, x.w));
    if (high > s.x) { s = vec4f(high, s.y * expOf(s.x - high), s.z + times(s.w, high - s.x), s.w); }
    probe += dot(x, vec4f(1e-6));
    s.y += dot(exp4(x - s.x), vec4f(1.));
    ${
      coefficients &&
      `${k(next)}
    s.z += dot(${four((part) => `times(k.${part}, s.x - x.${part})`)}, vec4f(1.));
    s.w += dot(k, vec4f(1.));`
    }`,
  )}
  if (isNaN(probe) || bits(probe) == 0x7f800000u) {
    s.y = NAN;
    ${
      coefficients &&
      loop(
        (next) => `
      vec4f x = ${next('x')};
      ${k(next)}
      if (dot(abs(k), vec4f(1.)) != 0.) { s.w = NAN; }`,
      )
    }
  }`,
    reads,
    calls,
  );
};

/** Records of rows, or sums of them: `vec4f term(i32 i)` is to be added up. */
export const termsOf = (addends: Input) => piece('vec4f term(i32 i) { return addendsAt(i); }', { addends });

/** A sum of terms. In runs, whose rounding errors do not add up as those of a single one would. */
export const totalOf = (terms: Code) =>
  piece(
    /* glsl */ `
vec4f totalOf(i32 begin, i32 end, i32 step) {
  vec4f total = vec4f(0.);
  for (i32 run = begin; run < end; run += 32 * step) {
    vec4f part = vec4f(0.);
    for (i32 i = run; i < min(run + 32 * step, end); i += step) { part += term(i); }
    total += part;
  }
  return total;
}
`,
    {},
    [terms],
  );
