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
  undecided,
  ZERO,
} from './approx';
import type { FuzzCase, LossCase, SoftmaxCase } from './problem';

/**
 * What is right for a case, in float64, with what float32 arithmetic may be off it: the losses' values and derivatives
 * as in PyTorch's documentation, with this package's deviations (README, "Compatibility").
 */
export interface Solution {
  /** By name: `value`, `gradInput`, ..., and the derivatives of `<gradInput, direction>`: `secondInput`, ... */
  readonly results: Readonly<Record<string, Approx[]>>;
  /** What is thrown instead where the labels can be looked at. */
  readonly error?: string;
  /** Where a value of Infinity, or any on GPUs, may as well be NaN (README, "Compatibility"). */
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

/** The softmax of a row and its negative logarithm. */
function softmaxOf(x: number[]): { p: Approx[]; negLogP: Approx[] } {
  const max = x.reduce((a, b) => (a > b || Number.isNaN(a) ? a : b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(max)) {
    const nans = x.map(() => NOT_A_NUMBER);
    return { p: nans, negLogP: nans };
  }
  const d = x.map((xc) => sub(exact(max), exact(xc)));
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
    const { p, negLogP } = softmaxOf(elements.map((i) => input[i]));
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

export function solveLoss(test: LossCase): Solution {
  const { kind, input, target, weight, ignoreIndex, reduction, labelSmoothing: e, upstream, direction } = test;
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
      likelihoods[r] = isBad ? NOT_A_NUMBER : times(ofLabel, exact(-x[label]));
      for (const [c, i] of elements.entries()) {
        if (isBad) gradInput[i] = NOT_A_NUMBER;
        else if (c === label) gradInput[i] = neg(mul(k, ofLabel));
      }
      perUpstream[r] = isBad ? NOT_A_NUMBER : neg(mul(v[label], mul(kUnit, ofLabel)));
      continue;
    }

    const { p, negLogP } = softmaxOf(x);
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

    const mass = sum(given);
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
  const cancels = ofIndices && reduction === 'mean' && e > 0 && D.value === 0;
  return {
    ...(hasInfinite ? { nan: 'for Infinity' } : cancels && { nan: 'on GPUs' }),
    ...(bad !== undefined && { error: `Target ${bad} is out of bounds.` }),
    results: {
      value,
      gradInput,
      secondInput,
      secondUpstream,
      ...(!ofIndices && { gradTarget, secondTarget }),
      ...(!ofIndices &&
        weight && {
          gradWeight: perClass.map(({ grad }) => sum(grad)),
          secondWeight: perClass.map(({ second }) => sum(second)),
        }),
    },
  };
}
