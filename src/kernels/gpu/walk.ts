import type { Code, Walk } from './code';

/**
 * What is known of some classes of a row: their maximum, the `sum of exp(x - max)`, and of coefficients `k`, if there
 * are any, the `sum of k * (max - x)` and the sum. NaN and +Infinity make the second NaN, and the last as well unless
 * all coefficients are 0.
 */
export const STATE: Code = {
  text: /* glsl */ `
vec4f nothing() { return vec4f(-3.4028234e38, 0., 0., 0.); }

vec4f merge(vec4f a, vec4f b) {
  f32 high = max(a.x, b.x);
  return vec4f(
    high,
    a.y * expOf(a.x - high) + b.y * expOf(b.x - high),
    a.z + times(a.w, high - a.x) + (b.z + times(b.w, high - b.x)),
    a.w + b.w);
}
`,
};

const walk = (body: string, reads: readonly string[], calls: readonly Code[] = [], shares = false): Walk => ({
  text: /* glsl */ `
vec4f walk(i32 row, i32 begin, i32 end) {
  vec4f s = nothing();
  ${body}
  return s;
}
`,
  reads,
  calls: [STATE, ...calls],
  shares,
});

/** For what has no softmax. */
export const NO_WALK = walk('', []);

/** The states of a row's chunks. */
export const WALK_CHUNKS = walk('for (i32 i = 0; i < end; i++) { s = merge(s, statesAt(row * end + i)); }', ['states']);

/** A vector of four classes, `lanes` apart. */
export const four = (element: (part: string, c: string) => string) =>
  `vec4f(${[...'xyzw'].map((part, i) => element(part, `c + ${i} * lanes`)).join(', ')})`;

/** Steps whose rounding errors add up: longer rows are summed up in runs. */
const STEPS_IN_RUN = 64;

interface Coefficients {
  /** Of four classes: an expression of their `c`, `x` and, where it takes that, `y`. */
  readonly k: string;
  readonly takesY: boolean;
  readonly calls?: readonly Code[];
}

/**
 * The classes of a row, unless its label says that it is ignored. NaN and +Infinity show in `probe`, a sum of all
 * elements, scaled so as not to overflow by itself.
 */
export const walkClasses = (coefficients?: Coefficients, hasLabels = false): Walk => {
  const { k, takesY, calls } = coefficients ?? { takesY: false };
  return walk(
    /* glsl */ `
  ${hasLabels ? 'if (labelsAt(row) == ignoreIndex) { return s; }' : ''}
  f32 probe = 0.;
  f32 used = 0.;
  start(row);
  for (i32 run = begin; run < end; run += ${4 * STEPS_IN_RUN} * lanes) {
    vec4f sum = nothing();
    for (i32 c = run; c < min(run + ${4 * STEPS_IN_RUN} * lanes, end); c += 4 * lanes) {
      vec4f left = ${four((_, c) => `f32(end - (${c}))`)};
      vec4f x = select(xNext(c), vec4f(-INFINITY), lessThan(left, vec4f(1.)));
      f32 high = max(max(x.x, x.y), max(x.z, x.w));
      if (high > sum.x) {
        sum = vec4f(high, sum.y * expOf(sum.x - high), sum.z + times(sum.w, high - sum.x), sum.w);
      }
      probe += dot(x, vec4f(1e-6));
      sum.y += dot(exp4(x - sum.x), vec4f(1.));
      ${
        k
          ? `${takesY ? 'vec4f y = yNext(c);' : ''}
      vec4f k = select(${k}, vec4f(0.), lessThan(left, vec4f(1.)));
      used += dot(abs(k), vec4f(1.));
      sum.z += dot(${four((part) => `times(k.${part}, sum.x - x.${part})`)}, vec4f(1.));
      sum.w += dot(k, vec4f(1.));`
          : ''
      }
    }
    if (run == begin) { s = sum; } else { s = merge(s, sum); }
  }
  if (isNaN(probe) || bits(probe) == 0x7f800000u) {
    s.y = NAN;
    s.w = select(NAN, 0., used == 0.);
  }`,
    ['x', ...(takesY ? ['y'] : []), ...(hasLabels ? ['labels'] : [])],
    calls,
    true,
  );
};

/** A sum of records. In runs, whose rounding errors do not add up as those of a single one would. */
export const TOTAL: Code = {
  text: /* glsl */ `
vec4f totalOf(i32 begin, i32 end, i32 step) {
  vec4f total = vec4f(0.);
  for (i32 run = begin; run < end; run += 32 * step) {
    vec4f part = vec4f(0.);
    for (i32 i = run; i < min(run + 32 * step, end); i += step) { part += recordAt(i); }
    total += part;
  }
  return total;
}
`,
  reads: ['record'],
};
