import { startPython } from '../support/python';
import type { FuzzCase, LinearCase, LossCase } from './problem';

/** What PyTorch says of a case. */
export interface Answer {
  readonly results?: Readonly<Record<string, Float64Array>>;
  readonly error?: string;
}

/** A Python process that lives as long as the fuzzing. */
export interface PyTorch {
  readonly version: string;
  solve(cases: readonly FuzzCase[]): Promise<Answer[]>;
  close(): void;
}

/** Starts it; `null` where that Python has no PyTorch. */
export async function startPyTorch(python: string): Promise<PyTorch | null> {
  const child = await startPython(python, 'test/fuzz/pytorch.py');
  if (!child) return null;
  return {
    version: child.hello.version,
    async solve(cases) {
      const answers: { results?: Record<string, string>; error?: string }[] = await child.ask(cases.map(question));
      return answers.map(({ results, error }) => ({
        error,
        results: results && Object.fromEntries(Object.entries(results).map(([name, text]) => [name, unpack(text)])),
      }));
    },
    close: child.close,
  };
}

const pack = (numbers: readonly number[]) => Buffer.from(Float64Array.from(numbers).buffer).toString('base64');
const unpack = (text: string) => new Float64Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);

function question(test: FuzzCase): object {
  const { kind, shape, dim, input, upstream, direction } = test;
  const common = { kind, shape, dim, upstream: pack(upstream), direction: pack(direction) };
  if (!('target' in test)) return { ...common, input: pack(input) };
  if (test.kind === 'linearCrossEntropy') return { ...common, ...linearQuestion(test) };
  const { target, weight, ignoreIndex, reduction, labelSmoothing } = test;
  return {
    ...common,
    ...('indices' in target ? target : { probabilities: pack(target.probabilities) }),
    ...(weight && { weight: pack(weight) }),
    ignoreIndex,
    reduction,
    labelSmoothing,
    ...inputs(test),
  };
}

function linearQuestion({ input, features, linearWeight, linearBias, target, weight, ...rest }: LinearCase): object {
  const { ignoreIndex, reduction, labelSmoothing } = rest;
  return {
    // Rows that hold NaN are ignored ones: here they contribute nothing.
    input: pack(input.map((x) => (Number.isNaN(x) ? 0 : x))),
    features,
    linearWeight: pack(linearWeight),
    ...(linearBias && { linearBias: pack(linearBias) }),
    ...('indices' in target ? target : { probabilities: pack(target.probabilities) }),
    ...(weight && { weight: pack(weight) }),
    ignoreIndex,
    reduction,
    labelSmoothing,
  };
}

/** Lower than any float32, and yet a number in float64: its probability is 0, and 0 times its logarithm is 0 too. */
const MASKED = -1e200;

/**
 * The logits where this package decides otherwise (docs/compatibility.md, 1, 4 and 11): those of rows that count
 * nothing do not matter, and neither does the infinite log-probability of a class whose coefficient is 0.
 */
function inputs({ shape, dim, input, target, weight, ignoreIndex, labelSmoothing: e }: LossCase) {
  if (input.every(Number.isFinite)) return { input: pack(input) };
  const inner = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
  const C = shape[dim];
  const rowOf = (i: number) => Math.floor(i / (inner * C)) * inner + (i % inner);
  const classOf = (i: number) => Math.floor(i / inner) % C;
  const w = (i: number) => (weight ? weight[classOf(i)] : 1);
  const q = (i: number) => {
    if (!('indices' in target)) return target.probabilities[i] * (1 - e) + e / C;
    const label = target.indices[rowOf(i)];
    return label === ignoreIndex ? 0 : (label === classOf(i) ? 1 - e : 0) + e / C;
  };
  // Where there are labels, the weight of a class that has no share in a row is not looked at.
  const counts = (i: number) => !('indices' in target && q(i) === 0) && q(i) * w(i) !== 0;
  const rows = new Set(input.flatMap((_, i) => (counts(i) ? [rowOf(i)] : [])));
  const finite = new Set(input.flatMap((x, i) => (x === Number.NEGATIVE_INFINITY ? [] : [rowOf(i)])));
  const masked = (coefficient: (i: number) => number) => (x: number, i: number) =>
    x === Number.NEGATIVE_INFINITY && coefficient(i) === 0 && finite.has(rowOf(i)) ? MASKED : x;
  return {
    input: pack(input.map((x, i) => (rows.has(rowOf(i)) ? masked((i) => q(i) * w(i))(x, i) : 0))),
    inputForTarget: pack(input.map(masked((i) => (1 - e) * w(i)))),
    inputForWeight: pack(input.map(masked(q))),
  };
}

/** Results where PyTorch's cannot serve, not even with other logits. */
export function incomparable(test: FuzzCase): (name: string) => boolean {
  if (!('target' in test)) return () => false;
  // Nothing that PyTorch has.
  const names = new Set<string>(['correct', 'count']);
  if (test.kind === 'linearCrossEntropy') return incomparableLinear(test, names);
  const { shape, dim, input, target, weight, ignoreIndex, reduction, labelSmoothing: e } = test;
  // Without classes PyTorch 1.13 refuses rank 3, and divides the smoothing by 0.
  if (shape[dim] === 0) return () => true;
  const hasInfinite = !input.every(Number.isFinite);
  // A row without a softmax has log-probabilities of NaN, and those times 0 are 0 here.
  if (!input.every((x) => x < Number.POSITIVE_INFINITY) || hasMaskedRow(test)) {
    for (const name of ['gradTarget', 'gradWeight']) names.add(name);
  }
  // Which of several infinite terms meets which depends on how the sum is written down.
  const numbers = [...('indices' in target ? [] : target.probabilities), ...(weight ?? [])];
  if (!numbers.every(Number.isFinite)) names.add('secondUpstream');
  if ('indices' in target) {
    // PyTorch's gradient of the mean of nothing is 0, and yet the derivative of that by the upstream gradient NaN.
    const D = target.indices.reduce((sum, t) => sum + (t === ignoreIndex ? 0 : weight ? weight[t] : 1), 0);
    if (reduction === 'mean' && (D === 0 || !Number.isFinite(D))) names.add('secondUpstream');
    // Of the label's part, 0 times Infinity, there is the smoothing's Infinity left here.
    if (e === 1 && hasInfinite) names.add('value');
    // PyTorch smooths ignored rows too, and multiplies what comes of that by 0.
    if (e > 0 && weight && !weight.every(Number.isFinite) && target.indices.includes(ignoreIndex)) {
      for (const name of ['value', 'gradInput', 'secondInput', 'secondUpstream']) names.add(name);
    }
  } else if (reduction === 'mean' && input.length === 0) names.add('secondUpstream');
  return (name) => names.has(name);
}

function incomparableLinear(test: LinearCase, names: Set<string>): (name: string) => boolean {
  const { linearBias, target, weight, ignoreIndex } = test;
  // Rows without a softmax that are ignored, and infinite log-probabilities whose coefficients are 0.
  const mayNotCount = !('indices' in target) || target.indices.includes(ignoreIndex) || weight?.includes(0);
  if (mayNotCount && linearBias?.some((b) => !Number.isFinite(b))) return () => true;
  return (name: string) => names.has(name);
}

function hasMaskedRow({ shape, dim, input }: FuzzCase): boolean {
  const inner = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
  const finite = new Set<number>();
  const all = new Set<number>();
  for (const [i, x] of input.entries()) {
    const row = Math.floor(i / (inner * shape[dim])) * inner + (i % inner);
    all.add(row);
    if (x !== Number.NEGATIVE_INFINITY) finite.add(row);
  }
  return finite.size < all.size;
}
