import * as tf from '@tensorflow/tfjs';
import { crossEntropy, logSoftmax, softmax } from 'tfjs-cross-entropy';
import { classView } from '../../src/contract/class-view';
import { expNonPositive } from '../../src/kernels/host/exp';
import { javascript } from '../../src/kernels/host/javascript';
import type { LossRows, RowKernels } from '../../src/kernels/host/row-kernels';
import { ownRowKernels } from '../../src/kernels/simd/own-row-kernels';
import { simdRowKernels } from '../../src/kernels/simd/row-kernels';
import { type Heap, ownWorkspace, type Workspace } from '../../src/kernels/simd/workspace';
import { heapRowKernels } from '../../src/kernels/wasm';
import type { Check } from '../support/check';
import { assertClose, assertEqual, withoutLeaks } from '../support/tensors';

/** The row kernels of cpu and wasm: that SIMD serves, where it works, and that it agrees with the definition. */
export function rowKernelsSuite(backend: string): Check[] {
  if (backend !== 'cpu' && backend !== 'wasm') return [];
  const checks: Check[] = [
    { name: 'SIMD serves', run: simdServes },
    { name: 'a row with Infinity is NaN, in its own place only', run: () => withoutLeaks(infiniteRow) },
    { name: 'a row with any NaN is NaN', run: () => withoutLeaks(anyNaN) },
    { name: 'the gradient found along with the loss is the one found later', run: () => withoutLeaks(alongOrLater) },
    { name: "SIMD's exponential", run: () => exactExponential(simdExponentials, [-3e38, -104, -1e-45, -0, 0]) },
    {
      name: "JavaScript's exponential",
      run: () => exactExponential((xs) => xs.map(expNonPositive), [Number.NaN, -3e38, -104, -1e-45, -0, 0]),
    },
    { name: 'SIMD and JavaScript agree, on arrays in the memory and elsewhere', run: allAgree },
    { name: 'SIMD and JavaScript agree on products of matrices', run: productsAgree },
    { name: 'arrays in the memory are used in place', run: inPlace },
  ];
  if (backend === 'wasm') checks.push({ name: 'the heap may grow in between', run: growth });
  return checks;
}

const wasmModule = () => (tf.backend() as unknown as { wasm: Heap & { HEAPU8: Uint8Array } }).wasm;

function simdServes(): void {
  const kernels = tf.getBackend() === 'wasm' ? heapRowKernels(wasmModule()) : ownRowKernels();
  if (!kernels || kernels === javascript) throw new Error('JavaScript serves');
}

/** At most 2 units in the last place where exp(x) is a normal float32, tried on a prime stride of all of them. */
function exactExponential(map: (xs: number[]) => number[], special: number[]): void {
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  float[0] = -87.33;
  const last = bits[0];
  const xs: number[] = [];
  for (bits[0] = 0x80000000; bits[0] <= last; bits[0] += 9973) xs.push(float[0]);
  let worst = 0;
  for (const [i, got] of map(xs).entries()) {
    const want = Math.exp(xs[i]);
    worst = Math.max(worst, Math.abs(got - want) / 2 ** (Math.floor(Math.log2(want)) - 23));
  }
  if (!(worst <= 2)) throw new Error(`exp is off by ${worst} units in the last place`);
  assertEqual(map([0, Number.NEGATIVE_INFINITY]), [1, 0], 'exp of 0 and -Infinity');
  assertClose(map(special), special.map(Math.exp), 2 ** -126, 'exp at the ends');
}

/** exp of each: the gradient of a row of maximum 0 and `mass / sum` 1 whose probabilities are all 0. */
function simdExponentials(xs: number[]): number[] {
  const view = classView([1, xs.length], 1);
  const gradient = new Float32Array(xs.length);
  const rows: LossRows = {
    view,
    x: Float32Array.from(xs),
    probabilities: new Float32Array(xs.length),
    ignoreIndex: -100,
    labelSmoothing: 0,
    gradientDivisor: 1,
    record: Float32Array.of(0, 1, 0, 1),
  };
  ownRowKernels().lossGradient(rows, Float32Array.of(1), gradient);
  return Array.from(gradient);
}

/** Puts an array somewhere. */
type Place = <T extends Float32Array | Int32Array>(values: T) => T;

/** A memory of so many bytes, and a workspace in it. */
function workspaceAt(size: number, addressOf: (bytes: number) => number): Workspace {
  const memory = new WebAssembly.Memory({ initial: size / 65536 });
  const [floats, ints] = [new Float32Array(memory.buffer), new Int32Array(memory.buffer)];
  return { memory, reserve: (bytes) => ({ address: addressOf(bytes), floats, ints }) };
}

/** One that ends where the memory ends: what is read or written behind it traps. */
const tight = () => workspaceAt(2 ** 22, (bytes) => 2 ** 22 - bytes);

/** A workspace at the start of a memory, and arrays behind it, one after another. */
function arena() {
  const room = 2 ** 20;
  const workspace = workspaceAt(2 ** 24, (bytes) => {
    if (bytes > room) throw new Error(`${bytes} bytes are more than the test has room for`);
    return 0;
  });
  const { memory } = workspace;
  let next = room;
  const place: Place = (values) => {
    const Type = values.constructor as Float32ArrayConstructor;
    const copy = new Type(memory.buffer, next, values.length) as typeof values;
    copy.set(values);
    next += (4 * values.length + 15) & ~15;
    return copy;
  };
  return { workspace, place };
}

/** Rows that fill vectors and do not, many in a block, one in a block of its own; transposed, contiguous, side by side. */
const SHAPES: [shape: number[], dim: number][] = [
  ...[1, 2, 5, 7, 8, 9, 64].map((classes): [number[], number] => [[19, classes], 1]),
  [[3, 65], 1],
  [[1, 5], 1],
  [[5, 1003], 1],
  [[2, 12001], 1],
  [[2, 5, 3], 1],
  [[2, 5, 8], 1],
  [[2, 3, 17, 17], 1],
  [[3, 7, 2], 0],
  // More than one tile.
  [[1, 3000, 41], 1],
  [[1, 2, 2050], 1],
  [[2, 4001, 2], 1],
  [[0, 4], 1],
  [[3, 0], 1],
];

const copied: Place = (values) => values.slice() as typeof values;

function allAgree(): void {
  const [own, atTheEnd] = [ownWorkspace(), tight()].map((workspace) => simdRowKernels(workspace)!);
  for (const [shape, dim] of SHAPES) {
    for (const labelSmoothing of [0, 0.2]) {
      for (const weighted of [false, true]) {
        const problem = problemOf(shape, dim, labelSmoothing, weighted);
        const want = outcome(javascript, problem, copied);
        const { workspace, place } = arena();
        outcome(atTheEnd, problem, copied); // or it traps
        const all = {
          elsewhere: outcome(own, problem, copied),
          within: outcome(simdRowKernels(workspace)!, problem, place),
        };
        for (const [name, got] of Object.entries(all)) {
          for (const [i, values] of got.entries()) {
            const what = `result ${i} of SIMD ${name}, ${shape} along ${dim}, smoothing ${labelSmoothing}, ${weighted}`;
            assertClose(values, want[i], (x) => 3e-6 * Math.max(1, Math.abs(x)), what);
          }
        }
      }
    }
  }
}

type Problem = ReturnType<typeof problemOf>;

/** Some rows are ignored, some classes masked, some rows count nothing at all. */
function problemOf(shape: number[], dim: number, labelSmoothing: number, weighted: boolean) {
  const view = classView(shape, dim);
  const { classes, rows } = view;
  const size = rows * classes;
  const floats = (length: number, f: (i: number) => number) => Float32Array.from({ length }, (_, i) => f(i));
  const isMasked = (i: number) => size > 20 && i % 11 === 5;
  const ignoreIndex = Math.min(1, classes - 1);
  return {
    view,
    labelSmoothing,
    ignoreIndex,
    x: floats(size, (i) => (isMasked(i) ? Number.NEGATIVE_INFINITY : 4 * Math.sin(3 * i))),
    labels: Int32Array.from({ length: rows }, (_, i) =>
      i % 3 === 1 || classes === 0 ? ignoreIndex : (i * 7) % classes,
    ),
    probabilities: floats(size, (i) => (isMasked(i) ? 0 : Math.abs(Math.cos(i)))),
    weights: weighted ? floats(classes, (c) => (c % 5 === 4 ? 0 : 0.5 + (c % 5))) : undefined,
    upstream: floats(rows, (i) => 1 + (i % 4)),
    v: floats(size, (i) => Math.cos(2 * i)),
  };
}

/** What all kernels make of it. `place` says where the arrays are. */
function outcome(kernels: RowKernels, problem: Problem, place: Place) {
  const { view, labelSmoothing, ignoreIndex } = problem;
  const results: Float32Array[] = [];
  const output = (length: number) => {
    const out = place(new Float32Array(length).fill(Number.NaN)); // as a heap is: not cleared
    results.push(out);
    return out;
  };
  const [x, probabilities, v] = [problem.x, problem.probabilities, problem.v].map(place);
  const weights = problem.weights && place(problem.weights);
  const labels = place(problem.labels) as unknown as Float32Array;
  const one = place(Float32Array.of(2));
  const perRow = place(problem.upstream);
  const kinds = [
    { labels, labelSmoothing },
    // With smoothing, all losses of masked rows would be Infinity.
    { probabilities, labelSmoothing: x.length > 20 ? 0 : labelSmoothing },
  ];
  for (const kind of kinds) {
    const rows: LossRows = { view, x, weights, ignoreIndex, gradientDivisor: 3, ...kind };
    const record = output(4 * view.rows);
    // Only labels have such.
    const correct = rows.labels ? output(view.rows) : undefined;
    const totals = kernels.loss({ ...rows, record, correct });
    const alone = kernels.loss(rows, output(x.length));
    for (const { likelihoods, smoothings } of [totals, alone]) results.push(Float32Array.of(likelihoods, smoothings));
    kernels.lossGradient({ ...rows, record }, one, output(x.length));
    if (view.rows > 1) kernels.lossGradient({ ...rows, record }, perRow, output(x.length));
  }
  const y = output(x.length);
  kernels.softmax(x, view, y);
  kernels.logSoftmax(x, view, output(x.length));
  kernels.softmaxGradient(y, v, view, output(x.length));
  kernels.logSoftmaxGradient(x, v, view, output(x.length));
  for (const [dy, expected] of [
    [one, 1],
    [one, 6],
    [perRow, 1],
    [perRow, 3], // what some rows are scaled by already
  ] as const) {
    const scaled = output(x.length);
    scaled.set(v);
    if (dy === one || view.rows > 1) kernels.scale(scaled, view, dy, expected);
  }
  return results;
}

/** Sizes that fill vectors and blocks and do not, single columns, more units than a tile has, and nothing at all. */
const PROJECTIONS: [rows: number, units: number, features: number][] = [
  [1, 1, 1],
  [1, 9, 4],
  [3, 5, 7],
  [4, 8, 16],
  [7, 13, 1],
  [9, 33, 18],
  [2, 5003, 12],
  [70, 17, 65],
  [0, 3, 2],
  [3, 0, 2],
];

function productsAgree(): void {
  const atTheEnd = simdRowKernels(tight())!;
  for (const [rows, units, features] of PROJECTIONS) {
    const matrix = (size: number, seed: number) =>
      Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 7 * i));
    const matrices = { x: matrix(rows * features, 1), w: matrix(units * features, 2), g: matrix(rows * units, 3) };
    for (const [to, terms] of [
      ['x', units],
      ['w', rows],
      ['g', features],
    ] as const) {
      const product = (kernels: RowKernels, place: Place) => {
        const placed = { x: place(matrices.x), w: place(matrices.w), g: place(matrices.g) };
        kernels.addProduct(to, { ...placed, features });
        return placed;
      };
      const want = product(javascript, copied);
      const { workspace, place } = arena();
      product(atTheEnd, copied); // or it traps
      const all = {
        elsewhere: product(simdRowKernels(ownWorkspace())!, copied),
        within: product(simdRowKernels(workspace)!, place),
      };
      for (const [name, got] of Object.entries(all)) {
        for (const matrix of ['x', 'w', 'g'] as const) {
          const what = `${matrix} of SIMD ${name}, what is added to ${to} of ${rows} x ${units} x ${features}`;
          assertClose(got[matrix], want[matrix], matrix === to ? 4e-6 * Math.sqrt(terms) : 0, what);
        }
      }
    }
  }
}

/** Only for an upstream gradient of 1 is what the forward kernel found of use. */
function alongOrLater(): void {
  for (const shape of [
    [5, 7],
    [2, 9000],
    [2, 5, 3, 3],
    [1, 7000, 2],
  ]) {
    const x = tf.randomNormal(shape, 0, 3, 'float32', 1);
    const labels = tf.ones([shape[0], ...shape.slice(2)], 'int32');
    const weight = tf.linspace(0.5, 2, shape[1]) as tf.Tensor1D;
    for (const target of [labels, softmax(tf.neg(x), 1)]) {
      for (const options of [{}, { weight, labelSmoothing: 0.1 }, { weight, reduction: 'sum' }] as const) {
        const loss = (x: tf.Tensor) => crossEntropy(x, target, options);
        const later = tf.grad((x) => tf.mul(loss(x), 2))(x);
        const what = `${shape} ${target.dtype} ${Object.keys(options)}`;
        assertClose(tf.grad(loss)(x).dataSync(), tf.div(later, 2).dataSync(), 1e-6, what);
      }
    }
  }
}

/** Rows that are left out must leave no trace in later calls, and rows with Infinity must not pass for such. */
function infiniteRow(): void {
  for (const shape of [
    [4, 6],
    [1, 6, 4],
    [4, 7000],
  ]) {
    const [rows, classes] = [4, shape[1]];
    const inner = rows / shape[0];
    const values = new Float32Array(rows * classes).map((_, j) => Math.sin(j));
    values[inner === 1 ? 2 * classes : 2] = Number.POSITIVE_INFINITY; // the first class of row 2
    const x = tf.tensor(values, shape);
    const q = tf.fill(shape, 1 / classes);
    const nanRows = (losses: tf.Tensor) => [...losses.dataSync()].map(Number.isNaN);
    const ignoring = tf.fill([shape[0], ...shape.slice(2)], -100, 'int32');
    tf.grad((x) => crossEntropy(x, ignoring, { reduction: 'sum' }))(x);
    const wanted = [false, false, true, false];
    assertEqual(nanRows(crossEntropy(x, q, { reduction: 'none' })), wanted, `losses of ${shape}`);
    for (const f of [softmax, logSoftmax]) {
      assertEqual(nanRows(tf.sum(f(x, 1), 1)), wanted, `${f.name} of ${shape}`);
      assertEqual(nanRows(tf.sum(tf.grad((x) => f(x, 1))(x, q), 1)), wanted, `gradient of ${f.name} of ${shape}`);
    }
    const gradient = tf.grad((x) => crossEntropy(x, q, { reduction: 'sum' }))(x);
    assertEqual(nanRows(tf.sum(gradient, 1)), wanted, `gradient of ${shape}`);
  }
}

/** Whatever its bits are, in every place of a row. */
function anyNaN(): void {
  for (const shape of [
    [2, 13],
    [2, 100],
    [2, 9, 3],
  ]) {
    const size = tf.util.sizeFromShape(shape);
    const labels = tf.zeros([shape[0], ...shape.slice(2)], 'int32');
    for (const bits of [0x7fc00000, 0x7fc00001, 0xffc00180, 0xffffffff]) {
      for (let i = 0; i < shape[1]; i++) {
        const values = new Float32Array(size);
        new Uint32Array(values.buffer)[i * (size / shape[0] / shape[1])] = bits;
        const x = tf.tensor(values, shape);
        const [first] = crossEntropy(x, labels, { reduction: 'none' }).dataSync();
        assertEqual(
          Number.isNaN(first),
          true,
          `the loss of a NaN of bits ${bits.toString(16)} at class ${i} of ${shape}`,
        );
      }
    }
  }
}

/** No array is copied that is in the memory already: what is reserved does not depend on their size. */
function inPlace(): void {
  const { workspace, place } = arena();
  const reserved: number[] = [];
  const kernels = simdRowKernels({
    ...workspace,
    reserve: (bytes) => workspace.reserve(reserved.push(bytes) && bytes),
  })!;
  for (const classes of [100, 100_000]) {
    const view = classView([3, classes], 1);
    const [x, out] = [0, 1].map(() => place(new Float32Array(3 * classes)));
    kernels.softmax(x, view, out);
    assertClose(out.subarray(0, 1), [1 / classes], 1e-9, 'the softmax of zeros');
  }
  assertEqual(reserved[1], reserved[0], 'bytes reserved for a hundred and for 100,000 classes');
}

/** Tensors that do not fit the heap as it is: its views are detached while a kernel runs. */
async function growth(): Promise<void> {
  await withoutLeaks(() => {
    const before = wasmModule().HEAPU8.buffer;
    for (let size = 2 ** 20; wasmModule().HEAPU8.buffer === before; size *= 2) {
      const x = tf.zeros([4, size]);
      const labels = tf.zeros([4], 'int32');
      const { value, grad } = tf.valueAndGrad((x) => crossEntropy(x, labels))(x);
      assertClose(value.dataSync(), [Math.log(size)], 1e-5, 'loss');
      assertClose(grad.slice([3, 0], [1, 2]).dataSync(), [(1 / size - 1) / 4, 1 / size / 4], 1e-6, 'gradient');
      if (size > 2 ** 26) throw new Error('the heap does not grow');
    }
  });
}
