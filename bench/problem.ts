/** What every contender is given: logits with the classes in dimension 1, and a class index for each row. */
export interface Problem {
  readonly shape: readonly number[];
  readonly logits: Float32Array;
  readonly targets: Int32Array;
}

/** The mean cross-entropy and its gradient by the logits. */
export interface Answer {
  readonly loss: number;
  readonly gradient: ArrayLike<number>;
}

/** Normal logits, as wide as those of a model in training, and uniform classes; the same ones every time. */
export function makeProblem(shape: readonly number[]): Problem {
  const random = mulberry32(1);
  const size = shape.reduce((a, b) => a * b, 1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const classes = shape[1];
  return {
    shape,
    logits: Float32Array.from({ length: size }, () => 3 * normal()),
    targets: Int32Array.from({ length: size / classes }, () => Math.floor(classes * random())),
  };
}

/** The answer in float64, by the definition. */
export function solve({ shape, logits, targets }: Problem): Answer {
  const [outer, classes, ...rest] = shape;
  const inner = rest.reduce((a, b) => a * b, 1);
  const rows = outer * inner;
  const gradient = new Float64Array(logits.length);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / inner) * classes * inner + (row % inner);
    const at = (c: number) => first + c * inner;
    let max = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) max = Math.max(max, logits[at(c)]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(logits[at(c)] - max);
    const logSumExp = max + Math.log(sum);
    for (let c = 0; c < classes; c++) gradient[at(c)] = Math.exp(logits[at(c)] - logSumExp) / rows;
    gradient[at(targets[row])] -= 1 / rows;
    loss += (logSumExp - logits[at(targets[row])]) / rows;
  }
  return { loss, gradient };
}

/** How far an answer may be off, relative to its largest number: what a GPU of low precision needs. */
const TOLERANCE = 1e-4;

/** What is wrong with an answer, in words; `null` if nothing is. */
export function faultOf(got: Answer, want: Answer): string | null {
  const lossError = Math.abs(got.loss - want.loss) / Math.abs(want.loss);
  if (!(lossError <= TOLERANCE)) return `loss ${got.loss.toPrecision(5)} instead of ${want.loss.toPrecision(5)}`;
  let largest = 0;
  let error = 0;
  for (let i = 0; i < want.gradient.length; i++) {
    largest = Math.max(largest, Math.abs(want.gradient[i]));
    error = Math.max(error, Math.abs(got.gradient[i] - want.gradient[i])); // NaN wins
  }
  return error <= TOLERANCE * largest ? null : `gradient off by ${percent(error / largest)} of its largest element`;
}

const percent = (x: number) => `${(100 * x).toPrecision(2)}%`;

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
