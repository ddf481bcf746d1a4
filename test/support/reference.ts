import type { Reduction } from 'tfjs-cross-entropy';

/**
 * The losses in float64, written to be read rather than run fast: the second oracle. Formulas and edge cases as in
 * PyTorch's documentation, with this package's deviations (docs/compatibility.md).
 */
export interface Problem {
  readonly kind: 'crossEntropy' | 'nllLoss';
  readonly shape: number[];
  readonly dim: number;
  readonly input: number[];
  readonly target: { readonly indices: number[] } | { readonly probabilities: number[] };
  readonly weight: number[] | null;
  readonly ignoreIndex: number;
  readonly reduction: Reduction;
  readonly labelSmoothing: number;
  /** One value a row for `'none'`, else a single one. */
  readonly upstream: number[];
}

export interface Solution {
  readonly value: number[];
  readonly gradInput: number[];
  /** For probability targets. */
  readonly gradTarget: number[];
}

export function solve(problem: Problem): Solution {
  const { shape, dim, input, target, weight, reduction, upstream, kind } = problem;
  const e = problem.labelSmoothing;
  const product = (sizes: number[]) => sizes.reduce((a, b) => a * b, 1);
  const [outer, C, inner] = [product(shape.slice(0, dim)), shape[dim], product(shape.slice(dim + 1))];
  const rows = outer * inner;
  const at = (r: number, c: number) => (Math.floor(r / inner) * C + c) * inner + (r % inner);
  const classes = Array.from({ length: C }, (_, c) => c);
  const w = (c: number) => (weight ? weight[c] : 1);

  // Row by row: what multiplies -logProb, and the log-probabilities themselves.
  const isLive = (r: number) => !('indices' in target) || target.indices[r] !== problem.ignoreIndex;
  const coefficient = (r: number, c: number) =>
    'indices' in target
      ? ((1 - e) * (target.indices[r] === c ? 1 : 0) + e / C) * w(c)
      : (target.probabilities[at(r, c)] * (1 - e) + e / C) * w(c);
  const logProbs = (r: number) => {
    const x = classes.map((c) => input[at(r, c)]);
    if (kind === 'nllLoss') return x;
    const max = Math.max(...x);
    const logSum = Math.log(x.reduce((sum, xc) => sum + Math.exp(xc - max), 0));
    return x.map((xc) => xc - max - logSum);
  };

  const losses = Array.from({ length: rows }, (_, r) => {
    if (!isLive(r)) return 0;
    const logP = logProbs(r);
    return classes.reduce((sum, c) => sum - (coefficient(r, c) === 0 ? 0 : coefficient(r, c) * logP[c]), 0);
  });
  const sum = losses.reduce((a, b) => a + b, 0);
  const divisor =
    reduction !== 'mean'
      ? 1
      : 'indices' in target
        ? target.indices.reduce((total, t, r) => total + (isLive(r) ? w(t) : 0), 0)
        : rows;

  const gradInput = new Array(input.length).fill(0);
  const gradTarget = new Array(input.length).fill(0);
  for (let r = 0; r < rows; r++) {
    if (!isLive(r)) continue;
    const k = upstream[reduction === 'none' ? r : 0] / divisor;
    const logP = logProbs(r);
    const mass = classes.reduce((total, c) => total + coefficient(r, c), 0);
    for (const c of classes) {
      const towards = kind === 'crossEntropy' ? Math.exp(logP[c]) * mass : 0;
      gradInput[at(r, c)] = k * (towards - coefficient(r, c));
      gradTarget[at(r, c)] = (1 - e) * w(c) === 0 ? 0 : -k * (1 - e) * w(c) * logP[c];
    }
  }
  return { value: reduction === 'none' ? losses : [sum / divisor], gradInput, gradTarget };
}
