import {
  type Approx,
  add,
  div,
  exact,
  expOfMinus,
  log,
  madeFor,
  mayBeZero,
  mul,
  NOT_A_NUMBER,
  neg,
  sub,
  sum,
  times,
  UNIT,
  undecided,
  ZERO,
} from './approx';
import type { FuzzCase, LinearCase, LossCase, SoftmaxCase } from './problem';

/**
 * What is right for a case, in float64, with what float32 arithmetic may be off it: the losses' values and derivatives
 * as in PyTorch's documentation, with this package's deviations (docs/compatibility.md).
 */
export interface Solution {
  /** By name: `value`, `gradInput`, ..., and the derivatives of `<gradInput, direction>`: `secondInput`, ... */
  readonly results: Readonly<Record<string, Approx[]>>;
  /** What is thrown instead where the labels can be looked at. */
  readonly error?: string;
  /** Where a value of Infinity, or any on GPUs, may as well be NaN (docs/compatibility.md). */
  readonly nan?: 'for Infinity' | 'on GPUs';
}

/** Rows as the class view has them; see `contract/class-view.ts`. */
function rowsOf({ shape, dim }: Pick<FuzzCase, 'shape' | 'dim'>) {
  const product = (sizes: number[]) => sizes.reduce((a, b) => a * b, 1);
  const [outer, inner] = [product(shape.slice(0, dim)), product(shape.slice(dim + 1))];
  const classes = shape.length === 0 ? 1 : shape[dim];
  const at = (r: number) =>
    Array.from({ length: classes }, (_, c) => (Math.floor(r / inner) * classes + c) * inner + (r % inner));
  return { rows: outer * inner, classes, at };
}

const ROUNDED_ONE: Approx = { value: 1, error: 1 };

/** The softmax of a row and its negative logarithm. */
function softmaxOf(x: Approx[]): { p: Approx[]; negLogP: Approx[] } {
  const max = x.reduce((a, b) => (a.value > b.value || Number.isNaN(a.value) ? a : b), exact(Number.NEGATIVE_INFINITY));
  if (!Number.isFinite(max.value)) {
    const nans = x.map(({ error }) => ({ value: Number.NaN, error: error === Number.POSITIVE_INFINITY ? error : 0 }));
    return { p: nans, negLogP: nans };
  }
  // Rounded, though from a maximum of 0 they need not be: PyTorch's gradients take p from log p.
  const d = x.map((xc) => mul(sub(max, xc), ROUNDED_ONE));
  const e = d.map(expOfMinus);
  const total = sum(e);
  return { p: e.map((ec) => div(ec, total)), negLogP: d.map((dc) => add(dc, log(total))) };
}

const dot = (a: Approx[], b: Approx[]): Approx => sum(a.map((ac, c) => mul(ac, b[c])));
const mean = dot;

export function solveSoftmax({ kind, input, upstream, direction, ...test }: SoftmaxCase): Solution {
  const { rows, at } = rowsOf(test);
  const empty = () => input.map(() => ZERO);
  const [value, gradInput, secondInput, secondUpstream] = [empty(), empty(), empty(), empty()];
  for (let r = 0; r < rows; r++) {
    const elements = at(r);
    const { p, negLogP } = softmaxOf(elements.map((i) => exact(input[i])));
    const g = elements.map((i) => exact(upstream[i]));
    const v = elements.map((i) => exact(direction[i]));
    const [ofG, ofV, total] = [mean(g, p), mean(v, p), sum(g)];
    const b = v.map((vc, c) => sub(mul(vc, sub(g[c], ofG)), mul(g[c], ofV)));
    const ofB = mean(b, p);
    for (const [c, i] of elements.entries()) {
      if (kind === 'softmax') {
        value[i] = p[c];
        gradInput[i] = mul(p[c], sub(g[c], ofG));
        secondInput[i] = mul(p[c], sub(b[c], ofB));
        secondUpstream[i] = mul(p[c], sub(v[c], ofV));
      } else {
        value[i] = neg(negLogP[c]);
        gradInput[i] = sub(g[c], mul(p[c], total));
        secondInput[i] = neg(mul(total, mul(p[c], sub(v[c], ofV))));
        secondUpstream[i] = sub(v[c], ofV);
      }
    }
  }
  return { results: { value, gradInput, secondInput, secondUpstream } };
}

/** Coefficients may cancel exactly; not in PyTorch, which multiplies each by the upstream gradient before they are added up. */
export type Cancelling = 'exactly' | 'as in PyTorch';

export const solveLoss = (test: LossCase, cancelling?: Cancelling): Solution =>
  solveLossOf(test, test.input.map(exact), cancelling);

/** The same of logits that are not exact themselves. */
function solveLossOf(
  test: Omit<LossCase, 'input'>,
  input: readonly Approx[],
  cancelling: Cancelling = 'exactly',
): Solution {
  const { kind, target, weight, ignoreIndex, reduction, labelSmoothing: e, upstream, direction } = test;
  const { rows, classes, at } = rowsOf(test);
  const ofIndices = 'indices' in target;
  const isLive = (r: number) => !ofIndices || target.indices[r] !== ignoreIndex;
  const isClass = (t: number) => t >= 0 && t < classes;
  const w = (c: number) => (weight ? exact(weight[c]) : exact(1));
  // In float32 themselves, and so rounded.
  const share = e === 0 || e === 1 ? exact(1 - e) : { value: 1 - e, error: 2 };
  const uniform = e === 0 ? ZERO : { value: e / classes, error: 2 * (e / classes) };
  const smoothing = (c: number) => times(uniform, w(c));

  /** What multiplies -log p of each class: the label's part, and that of all classes. */
  const coefficientsOf = (r: number, elements: number[]) => {
    if (!ofIndices) {
      const q = elements.map((i) => add(mul(exact(target.probabilities[i]), share), uniform));
      return { label: -1, ofLabel: ZERO, q, ofClasses: q.map((qc, c) => mul(qc, w(c))) };
    }
    const label = target.indices[r];
    const ofLabel = mul(isClass(label) ? w(label) : NOT_A_NUMBER, share);
    const ofClasses = elements.map((_, c) => (e === 0 ? ZERO : smoothing(c)));
    return { label, ofLabel, q: [], ofClasses };
  };

  const divisor = (): Approx => {
    if (reduction !== 'mean') return exact(1);
    if (!ofIndices) return exact(classes === 0 ? 0 : rows);
    const live = target.indices.filter((_, r) => isLive(r));
    return sum(live.map((t) => (isClass(t) ? w(t) : NOT_A_NUMBER)));
  };
  const D = divisor();

  const zeros = (length: number) => new Array<Approx>(length).fill(ZERO);
  const likelihoods = zeros(rows);
  const smoothings = zeros(rows);
  const gradInput = zeros(input.length);
  const secondInput = zeros(input.length);
  const gradTarget = zeros(input.length);
  const secondTarget = zeros(input.length);
  const perUpstream = zeros(rows);
  const corrects = zeros(rows);
  const perClass = Array.from({ length: classes }, () => ({ grad: [] as Approx[], second: [] as Approx[] }));

  for (let r = 0; r < rows; r++) {
    if (!isLive(r)) continue;
    const elements = at(r);
    const x = elements.map((i) => input[i]);
    const v = elements.map((i) => exact(direction[i]));
    const { label, ofLabel, q, ofClasses } = coefficientsOf(r, elements);
    const isBad = ofIndices && !isClass(label);
    const k = div(exact(upstream[reduction === 'none' ? r : 0]), D);
    const kUnit = div(exact(1), D);

    if (kind === 'nllLoss') {
      likelihoods[r] = isBad ? NOT_A_NUMBER : times(ofLabel, neg(x[label]));
      for (const [c, i] of elements.entries()) {
        if (isBad) gradInput[i] = NOT_A_NUMBER;
        else if (c === label) gradInput[i] = neg(mul(k, ofLabel));
      }
      perUpstream[r] = isBad ? NOT_A_NUMBER : neg(mul(v[label], mul(kUnit, ofLabel)));
      continue;
    }

    const { p, negLogP } = softmaxOf(x);
    corrects[r] = isCorrect(x, ofIndices ? label : elements.map((i) => target.probabilities[i]));
    const given = [ofLabel, ...ofClasses];
    const counts = given.some(({ value }) => value !== 0);
    // Where all coefficients may underflow, so may a row's part in a result that is NaN otherwise.
    if (counts && given.every(mayBeZero) && Number.isNaN(p[0].value)) {
      likelihoods[r] = undecided(NOT_A_NUMBER);
      perUpstream[r] = undecided(NOT_A_NUMBER);
      for (const [c, i] of elements.entries()) {
        for (const results of [gradInput, secondInput, gradTarget, secondTarget]) results[i] = undecided(NOT_A_NUMBER);
        for (const results of [perClass[c].grad, perClass[c].second]) results.push(undecided(NOT_A_NUMBER));
      }
      continue;
    }
    likelihoods[r] = ofIndices
      ? isBad
        ? NOT_A_NUMBER
        : times(ofLabel, negLogP[label])
      : sum(ofClasses.map((g, c) => times(g, negLogP[c])));
    if (ofIndices) smoothings[r] = sum(ofClasses.map((g, c) => times(g, negLogP[c])));

    const mass = sum(cancelling === 'exactly' ? given : given.map((g) => mul(g, ROUNDED_ONE)));
    const ofV = dot(p, v);
    const gradientFor = (k: Approx) =>
      p.map((pc, c) => {
        if (!counts) return mul(k, ZERO);
        const towards = mul(mul(k, mass), pc);
        const away = c === label ? add(ofLabel, ofClasses[c]) : ofClasses[c];
        return ofIndices && e === 0 && c !== label && !isBad ? towards : sub(towards, mul(k, away));
      });
    const gradient = gradientFor(k);
    perUpstream[r] = sum(gradientFor(kUnit).map((g, c) => mul(v[c], g)));
    for (const [c, i] of elements.entries()) {
      gradInput[i] = madeFor(upstream[reduction === 'none' ? r : 0], gradient[c]);
      secondInput[i] = counts ? mul(mul(mass, k), mul(p[c], sub(v[c], ofV))) : mul(k, ZERO);
      if (ofIndices) continue;
      const outer = mul(share, w(c));
      gradTarget[i] = mul(times(outer, negLogP[c]), k);
      secondTarget[i] = neg(mul(mul(outer, k), sub(v[c], ofV)));
      perClass[c].grad.push(mul(times(q[c], negLogP[c]), k));
      perClass[c].second.push(neg(mul(mul(q[c], k), sub(v[c], ofV))));
    }
  }

  const losses = likelihoods.map((l, r) => add(l, smoothings[r]));
  const reduced = add(div(sum(likelihoods), D), e > 0 && ofIndices ? div(sum(smoothings), D) : ZERO);
  const value = reduction === 'none' ? losses : [rows === 0 && reduction === 'mean' ? NOT_A_NUMBER : reduced];
  const secondUpstream = reduction === 'none' ? perUpstream : [sum(perUpstream)];
  const bad = ofIndices ? target.indices.find((t, r) => isLive(r) && !isClass(t)) : undefined;
  const coefficients = [...(weight ?? []), ...(ofIndices ? [] : target.probabilities)];
  const hasInfinite = (!ofIndices || e > 0) && coefficients.some((x) => Math.abs(x) === Number.POSITIVE_INFINITY);
  const reducedRows = (ofRows: Approx[]) => (reduction === 'none' ? ofRows : [sum(ofRows)]);
  const counted = likelihoods.map((_, r) => exact(isLive(r) ? 1 : 0));
  const cancels = ofIndices && reduction === 'mean' && e > 0 && D.value === 0;
  return {
    ...(hasInfinite ? { nan: 'for Infinity' } : cancels && { nan: 'on GPUs' }),
    ...(bad !== undefined && { error: `Target ${bad} is out of bounds.` }),
    results: {
      value,
      gradInput,
      secondInput,
      secondUpstream,
      ...(kind === 'crossEntropy' && { correct: reducedRows(corrects), count: reducedRows(counted) }),
      ...(!ofIndices && { gradTarget, secondTarget }),
      ...(!ofIndices &&
        weight && {
          gradWeight: perClass.map(({ grad }) => sum(grad)),
          secondWeight: perClass.map(({ second }) => sum(second)),
        }),
    },
  };
}

/** 1 where the label is one of those with the largest logit, of a row that has a softmax; the label may be a row of probabilities. */
function isCorrect(x: readonly Approx[], label: number | readonly number[]): Approx {
  const values = x.map(({ value }) => value);
  if (x.some(({ error }) => error === Number.POSITIVE_INFINITY)) return undecided(ZERO);
  if (!values.every((value) => value < Number.POSITIVE_INFINITY) || Math.max(...values) === Number.NEGATIVE_INFINITY)
    return ZERO;
  if (typeof label === 'number') return x[label] ? isLargest(x, label) : ZERO;
  // What is most probable where a probability is NaN or infinite, nobody says.
  if (!label.every((q) => q < Number.POSITIVE_INFINITY) || Math.max(...label) === Number.NEGATIVE_INFINITY)
    return undecided(ZERO);
  // TensorFlow.js's `max` begins at -1e20 on webgl.
  if ([values, label].some((numbers) => Math.max(...numbers) < -1e20)) return undecided(ZERO);
  const matches = x.map((_, c) => mul(isLargest(x, c), isLargest(label.map(exact), c)));
  if (matches.some(({ value, error }) => value === 1 && error === 0)) return exact(1);
  return matches.every(({ error }) => error === 0) ? ZERO : undecided(ZERO);
}

/** Whether none is larger; numbers that differ by less than the smallest of float32 that is not flushed may as well be equal. */
function isLargest(x: readonly Approx[], c: number): Approx {
  const within = (other: Approx) => {
    const error = x[c].error + other.error;
    return other.value === x[c].value && error === 0 ? 0 : Math.max(32 * UNIT * error, 2 ** -126);
  };
  if (x.some((other) => other.value - x[c].value > within(other))) return ZERO;
  // TensorFlow's own Max has 0 for a number that small.
  if (x[c].value !== 0 && Math.abs(x[c].value) < 2 ** -126) return undecided(ZERO);
  const isCertain = x.every((other, i) => i === c || x[c].value - other.value >= within(other));
  return isCertain ? exact(1) : undecided(ZERO);
}

/** The logits, and from the gradients by them those of what they are made of. */
export function solveLinear(test: LinearCase, cancelling?: Cancelling): Solution {
  const { shape, input, features, linearWeight, linearBias, target, ignoreIndex, upstream } = test;
  const [rows, ...unitShape] = shape;
  const units = unitShape.reduce((a, b) => a * b, 1);
  const targets = shape[2] ?? 1;
  // Rows whose targets are all ignored contribute nothing, whatever they hold.
  const isDropped = (row: number) =>
    'indices' in target &&
    target.indices.slice(row * targets, (row + 1) * targets).every((label) => label === ignoreIndex);
  const x = (row: number, d: number) => (isDropped(row) ? ZERO : exact(input[row * features + d]));
  const w = (unit: number, d: number) => exact(linearWeight[unit * features + d]);
  const all = <T>(count: number, f: (i: number) => T) => Array.from({ length: count }, (_, i) => f(i));
  const logits = all(rows * units, (i) => {
    const [row, unit] = [Math.floor(i / units), i % units];
    const product = sum(all(features, (d) => mul(x(row, d), w(unit, d))));
    return linearBias ? add(product, exact(linearBias[unit])) : product;
  });
  const ofLogits = { ...test, kind: 'crossEntropy' as const, direction: logits.map(() => 0) };
  const { results, ...rest } = solveLossOf(ofLogits, logits, cancelling);
  const { value, gradInput: g, gradTarget, gradWeight, correct, count } = results;
  const largest = upstream.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const summed = (terms: Approx[]) => madeFor(largest, sum(terms));
  const gradInput = all(rows * features, (i) => {
    const [row, d] = [Math.floor(i / features), i % features];
    return summed(all(units, (unit) => mul(g[row * units + unit], w(unit, d))));
  });
  const gradLinearWeight = all(units * features, (i) => {
    const [unit, d] = [Math.floor(i / features), i % features];
    return summed(all(rows, (row) => mul(g[row * units + unit], x(row, d))));
  });
  const gradLinearBias = linearBias && all(units, (unit) => summed(all(rows, (row) => g[row * units + unit])));
  return {
    ...rest,
    // Chunks add up likelihoods and smoothings in one sum.
    ...(rest.nan && { nan: 'for Infinity' }),
    results: {
      value,
      gradInput,
      gradLinearWeight,
      ...(gradLinearBias && { gradLinearBias }),
      ...(gradTarget && { gradTarget }),
      ...(gradWeight && { gradWeight }),
      correct,
      count,
    },
  };
}
