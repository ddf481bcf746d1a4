import { TEXELS_AT_ONCE } from './constants';
import type { Layout } from './layouts';

/** What is found along the classes of each row. */
export interface Along {
  /** Of the dense input `x`: `maximum`, and `sumExp`, the sum of exp(x - maximum), NaN where there is no softmax. */
  readonly softmax?: boolean;
  /**
   * `sums`, the totals of the two lanes that `void addends(vec4 classes, vec4 dense..., out vec4, out vec4)` gives. It
   * gets `x - maximum` for `x`; the first must then be a multiple of it, and the second the factor.
   */
  readonly addends?: boolean;
}

/** What is found, in GLSL: by element of the pair's texels, then by row; and rows put together from their chunks. */
export const FOUND = `
  vec4 highs = vec4(LOWEST), exps = vec4(0.), firsts = vec4(0.), seconds = vec4(0.), probe = vec4(0.);

  float maximum = LOWEST, sumExp = 0.;
  vec2 sums = vec2(0.);

  void take(int part) {
    Lane high = laneOfPart(highs, part);
    maximum = largest(high);
    Lane fall = max(high - maximum, LOWEST);
    Lane second = laneOfPart(seconds, part);
    sumExp = total(laneOfPart(exps, part) * expOf(fall));
    sums = vec2(total(laneOfPart(firsts, part) + second * fall), total(second));
    float probed = total(laneOfPart(probe, part));
    if (isNaN(probed) || probed == INF) sumExp = NAN;
  }

  void merge(float otherMaximum, float otherSumExp, vec2 otherSums) {
    otherMaximum = max(otherMaximum, LOWEST); // which is -Infinity in half floats
    float high = max(maximum, otherMaximum);
    vec2 fall = max(vec2(maximum, otherMaximum) - high, LOWEST);
    sumExp = dot(vec2(sumExp, otherSumExp), expOf(fall));
    sums = vec2(sums.x + sums.y * fall.x + (otherSums.x + otherSums.y * fall.y), sums.y + otherSums.y);
    maximum = high;
  }`;

/**
 * `walk(begin, end)`: goes along these texels of a pair, a few at a time. Unrolled, since not every driver does it. NaN
 * and +Infinity show in a sum of all elements, scaled so as not to overflow by itself.
 */
export function walkCode({ classesInTexel, lanes }: Layout, names: string[], { softmax, addends }: Along): string {
  const steps = Array.from({ length: TEXELS_AT_ONCE }, (_, j) => j);
  const each = (code: (j: number) => string, separator = '\n') => steps.map(code).join(separator);
  const addExps = `
    ${each((j) => `vec4 x${j} = mix(vec4(-INF), xTexel(texelAt(i + ${j})), present${j});`)}
    probe += ${each((j) => `x${j} * 1e-6`, ' + ')};
    vec4 high = highs;
    ${each((j) => `high = max(high, x${j});`)}
    vec4 fall = max(highs - high, LOWEST);
    ${each((j) => `x${j} -= high;`)}
    exps = exps * expOf(fall) + (${each((j) => `expOf(x${j})`, ' + ')});
    firsts += seconds * fall;
    highs = high;`;
  const load = (j: number) =>
    names
      .filter((name) => !(softmax && name === 'x'))
      .map((name) => `vec4 ${name}${j} = ${name}Texel(texelAt(i + ${j}));`)
      .join('\n');
  const addLane = (lane: string, j: number) => {
    const args = [`classes${j}`, ...[...names, 'first', 'second'].map((name) => `${name}${j}.${lane}`)];
    return `addends(${args.join(', ')});`;
  };
  const addSums = (j: number) => `
    ${load(j)}
    Lane classes${j} = classesFrom((i + ${j}) * ${classesInTexel});
    vec4 first${j}, second${j};
    ${Object.keys(lanes)
      .map((lane) => addLane(lane, j))
      .join('\n')}
    firsts += mix(vec4(0.), first${j}, present${j});
    seconds += mix(vec4(0.), second${j}, present${j});`;
  return `
    void walk(int begin, int end) {
      float limit = float(min(CLASSES, end * ${classesInTexel}));
      for (int i = begin; i < end; i += ${TEXELS_AT_ONCE}) {
        ${each((j) => `bvec4 present${j} = lessThan(classesAt(i + ${j}), vec4(limit));`)}
        ${softmax ? addExps : ''}
        ${addends ? each(addSums) : ''}
      }
    }`;
}
