import * as tf from '@tensorflow/tfjs';
import { crossEntropy, logSoftmax, softmax } from 'tfjs-cross-entropy';
import { hostKernels } from '../../src/kernels/host';
import { expNonPositive } from '../../src/kernels/host/exp';
import type { Host } from '../../src/kernels/host/host';
import { ownPage } from '../../src/kernels/host/own-page';
import { type Page, pageIn, type Run } from '../../src/kernels/host/page';
import * as layout from '../../src/kernels/host/page-layout';
import { instantiate } from '../../src/kernels/simd/instantiate';
import { type HeapModule, heapPage } from '../../src/kernels/wasm/heap-page';
import type { LossAttrs } from '../../src/contract/kernels';
import type { Check } from '../support/check';
import { assertClose, assertEqual, withoutLeaks } from '../support/tensors';

/** What does the work of the kernels on cpu and wasm, where it does it, and how exact its exponential is. */
export function rowsSuite(backend: string): Check[] {
  if (backend !== 'cpu' && backend !== 'wasm') return [];
  const checks: Check[] = [
    { name: 'SIMD does all of it', run: simdServes },
    { name: 'a row with Infinity is NaN, in its own place only', run: () => withoutLeaks(infiniteRow) },
    { name: 'a row with any NaN is NaN', run: () => withoutLeaks(anyNaN) },
    { name: 'the gradient found along with the loss is the one found later', run: () => withoutLeaks(alongOrLater) },
    { name: "SIMD's exponential", run: () => exactExponential(simdExponentials, [-3e38, -104, -1e-45, -0, 0]) },
    {
      name: "JavaScript's exponential",
      run: () => exactExponential((xs) => xs.map(expNonPositive), [Number.NaN, -3e38, -104, -1e-45, -0, 0]),
    },
    { name: 'SIMD and JavaScript agree, on tensors in their memory and elsewhere', run: enginesAgree },
  ];
  if (backend === 'wasm') {
    checks.push(
      { name: 'tensors are used in place', run: inPlace },
      { name: 'the heap may grow in between', run: growth },
    );
  }
  return checks;
}

const wasmModule = () => (tf.backend() as unknown as { wasm: HeapModule & { HEAPU8: Uint8Array } }).wasm;

/** The page that the active backend's kernels work in. */
function activePage(): Page {
  const page = tf.getBackend() === 'wasm' ? heapPage(wasmModule()) : ownPage();
  if (!page) throw new Error('no page');
  return page;
}

/** The calls of `page.run` while `f` runs. */
function calls(f: () => void): Parameters<Run>[] {
  const page = activePage() as { run: Run };
  const { run } = page;
  const made: Parameters<Run>[] = [];
  page.run = (...args) => {
    made.push(args);
    run(...args);
  };
  try {
    f();
  } finally {
    page.run = run;
  }
  return made;
}

/** A function of a WebAssembly module is nobody's JavaScript. */
const isSimd = ({ run }: Page) => String(run).includes('[native code]');

function simdServes(): void {
  assertEqual(isSimd(activePage()), true, 'runs a WebAssembly module');
  for (const shape of [
    [5, 7],
    [2, 9000],
    [2, 5, 3, 3],
  ]) {
    const x = tf.randomNormal(shape, 0, 3, 'float32', 1);
    const labels = tf.zeros([shape[0], ...shape.slice(2)], 'int32');
    const steps = [
      () => crossEntropy(x, labels),
      () => tf.grad((x) => crossEntropy(x, labels, { labelSmoothing: 0.1 }))(x),
      () => tf.grad((x) => crossEntropy(x, labels, { reduction: 'none' }))(x),
      () => logSoftmax(x, 1),
      () => tf.grad((x) => softmax(x, 1))(x),
    ];
    for (const step of steps) {
      const made = tf.tidy(() => calls(step));
      if (made.length === 0) throw new Error(`nothing ran for ${shape}: ${step}`);
    }
    tf.dispose([x, labels]);
  }
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

/** exp of each: the exponentials of a row whose maximum is known to be 0. */
function simdExponentials(xs: number[]): number[] {
  const page = activePage();
  const { floats, base, run } = page;
  const at = base + layout.TILES;
  const results: number[] = [];
  for (let i = 0; i < xs.length; i += layout.TILE) {
    const part = xs.slice(i, i + layout.TILE);
    floats.set(part, at >>> 2);
    floats[(base + layout.LOWEST) >>> 2] = 0;
    const operations = layout.START | layout.EXPONENTIALS | layout.KEEP;
    run(base, operations, 1, part.length, 0, 0, 0, at, 0, 0, at, 0, base + layout.ONE, 0);
    results.push(...floats.subarray(at >>> 2, (at >>> 2) + part.length));
  }
  return results;
}

type Kernels = ReturnType<typeof hostKernels<null>>;
type Operand = { dataId: Float32Array; shape: number[]; dtype: 'float32' | 'int32' };

/** Kernels on arrays: those of `place`, in or out of a page's memory. */
function kernelsIn(page: Page, place: (length: number) => Float32Array): Kernels {
  const host: Host<null> = (_, inputs, shapes, compute) => {
    const outputs = shapes.map((shape) => place(tf.util.sizeFromShape([...shape])));
    const here = inputs.map(({ dataId, dtype }) => {
      const values = dataId as Float32Array;
      const { buffer, byteOffset, length } = place(values.length);
      const copy =
        dtype === 'int32' ? new Int32Array(buffer, byteOffset, length) : new Float32Array(buffer, byteOffset, length);
      copy.set(values);
      return copy as Float32Array;
    });
    compute(page, here, outputs);
    return outputs.map((values, i) => ({ dataId: values.slice(), shape: [...shapes[i]], dtype: 'float32' }));
  };
  return hostKernels(host);
}

/** Arrays one after another in a memory, behind a page, all over again for each tensor that is made from outside. */
function placesIn(memory: ArrayBufferLike): (length: number) => Float32Array {
  let next = layout.SIZE;
  return (length) => {
    if (next + 4 * length > memory.byteLength) next = layout.SIZE;
    const array = new Float32Array(memory, next, length).fill(Number.NaN); // as a heap is: not cleared
    next += (4 * length + 15) & ~15;
    return array;
  };
}

const PAGES = 64;

/** SIMD and JavaScript, each with tensors in its memory and elsewhere. */
function engines(): Record<string, Kernels> {
  const memories = [0, 1].map(() => new WebAssembly.Memory({ initial: PAGES }));
  const [simd, simdWithin] = memories.map((memory) => {
    const page = pageIn(memory.buffer, 0, instantiate(memory));
    assertEqual(isSimd(page), true, 'runs a WebAssembly module');
    return page;
  });
  const buffer = new ArrayBuffer(PAGES * layout.SIZE);
  const elsewhere = (length: number) => new Float32Array(length);
  return {
    JavaScript: kernelsIn(pageIn(new ArrayBuffer(layout.SIZE), 0, null), elsewhere),
    'JavaScript, within': kernelsIn(pageIn(buffer, 0, null), placesIn(buffer)),
    SIMD: kernelsIn(simd, elsewhere),
    'SIMD, within': kernelsIn(simdWithin, placesIn(memories[1].buffer)),
  };
}

/** Rows that fill vectors and do not, many in a tile, one in several; turned, contiguous and across. */
const SHAPES: [shape: number[], dim: number][] = [
  ...[1, 2, 5, 7, 8, 9, 64].map((classes): [number[], number] => [[19, classes], 1]),
  [[3, 65], 1],
  [[1, 5], 1],
  [[5, 1003], 1],
  [[2, 12001], 1],
  [[2, 5, 3], 1],
  [[2, 3, 17, 17], 1],
  [[3, 7, 2], 0],
  [[1, 900, 40], 1],
  [[2, 4001, 2], 1],
];

function enginesAgree(): void {
  const [[, js], ...others] = Object.entries(engines());
  for (const [shape, dim] of SHAPES) {
    for (const options of [
      {},
      { labelSmoothing: 0.2, weighted: true },
      { reduction: 'none' },
      { weighted: true },
    ] as const) {
      const want = outcome(js, shape, dim, options);
      for (const [name, kernels] of others) {
        const got = outcome(kernels, shape, dim, options);
        for (const [i, values] of got.entries()) {
          const what = `result ${i} of ${name}, ${shape} along ${dim}, ${JSON.stringify(options)}`;
          assertClose(values, want[i], (x) => 3e-6 * Math.max(1, Math.abs(x)), what);
        }
      }
    }
  }
}

/** What all kernels make of such tensors; some rows are ignored, some classes masked. */
function outcome(
  kernels: Kernels,
  shape: number[],
  dim: number,
  options: { labelSmoothing?: number; weighted?: boolean; reduction?: 'none' },
): Float32Array[] {
  const size = tf.util.sizeFromShape(shape);
  const classes = shape[dim];
  const rowShape = shape.filter((_, axis) => axis !== dim);
  const floats = (shape: number[], f: (i: number) => number): Operand => ({
    dataId: Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => f(i)),
    shape,
    dtype: 'float32',
  });
  const ignoreIndex = Math.min(1, classes - 1);
  const label = (i: number) => (i % 3 === 1 ? ignoreIndex : (i * 7) % classes);
  const input = floats(shape, (i) => (size > 20 && i % 11 === 5 ? Number.NEGATIVE_INFINITY : 4 * Math.sin(3 * i)));
  const labels: Operand = { ...floats(rowShape, label), dtype: 'int32' };
  const probabilities = floats(shape, (i) => (i % 11 === 5 ? 0 : Math.abs(Math.cos(i))));
  const weight = floats(options.weighted ? [classes] : [0], (i) => 0.5 + (i % 5));
  const none = options.reduction === 'none';
  const dy = floats(none ? rowShape : [], (i) => 1 + (i % 4));
  const v = floats(shape, (i) => Math.cos(2 * i));
  const results: Operand[] = [];
  for (const target of [labels, probabilities]) {
    const labelSmoothing = target === probabilities && size > 20 ? 0 : (options.labelSmoothing ?? 0);
    const attrs: LossAttrs = { dim, ignoreIndex, reduction: options.reduction ?? 'sum', labelSmoothing };
    const inputs = { input, target, weight };
    const along: { gradient?: Operand } = {};
    const [loss] = kernels.CrossEntropyLoss(inputs, { ...attrs, along }, null);
    const [alone] = kernels.CrossEntropyLoss(inputs, attrs, null);
    const [, record, divisor] = kernels.CrossEntropyLoss(inputs, { ...attrs, records: true }, null) as tf.TensorInfo[];
    const gradient = kernels.CrossEntropyLossGrad({ ...inputs, dy, record, divisor }, attrs, null);
    results.push(loss as Operand, alone as Operand, along.gradient as Operand, gradient as Operand);
  }
  const y = kernels.SoftmaxDim({ x: input }, { dim }, null);
  results.push(y as Operand);
  results.push(kernels.LogSoftmaxDim({ x: input }, { dim }, null) as Operand);
  results.push(kernels.LogSoftmaxDimGrad({ x: input, dy: v }, { dim }, null) as Operand);
  results.push(kernels.SoftmaxDimGrad({ x: input, y, dy: v }, { dim }, null) as Operand);
  return results.map(({ dataId }) => dataId);
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

function inPlace(): void {
  tf.tidy(() => {
    const { dataIdMap } = tf.backend() as unknown as { dataIdMap: { get(id: object): { memoryOffset: number } } };
    const x = tf.randomNormal([6, 1000]);
    const labels = tf.zeros([6], 'int32');
    const made = calls(() => crossEntropy(x, labels));
    assertEqual(activePage().floats.buffer === wasmModule().HEAPU8.buffer, true, "runs on the backend's heap");
    const wanted = [dataIdMap.get(x.dataId).memoryOffset, dataIdMap.get(labels.dataId).memoryOffset];
    assertEqual(
      made.map((args) => [args[7], args[11]]),
      [wanted],
      'where the logits and the labels are',
    );
  });
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
