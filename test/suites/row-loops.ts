import * as tf from '@tensorflow/tfjs';
import { crossEntropy, logSoftmax, softmax } from 'tfjs-cross-entropy';
import { jsLoops } from '../../src/kernels/host/js-loops';
import { LANES, type RowLoops, TILE, type Tile } from '../../src/kernels/host/row-loops';
import { hostLoops } from '../../src/kernels/simd/host-loops';
import { SimdLoops } from '../../src/kernels/simd/simd-loops';
import type { Check } from '../support/check';
import { assertClose, assertEqual, withoutLeaks } from '../support/tensors';

/** Which loops do the work of the kernels on cpu and wasm, where they do it, and how exact their exponential is. */
export function rowLoopsSuite(backend: string): Check[] {
  if (backend !== 'cpu' && backend !== 'wasm') return [];
  const checks: Check[] = [
    {
      name: 'SIMD does all the loops',
      run: () => {
        const used = record(() => withoutLeaksSync(everyKernel));
        if (used.simd.length === 0) throw new Error('SIMD did nothing');
        assertEqual(used.js.length, 0, 'loops run in JavaScript');
      },
    },
    { name: 'a row with Infinity is NaN, in its own place only', run: () => withoutLeaks(infiniteRow) },
    { name: "SIMD's exponential", run: () => exactExponential(simdLoops(), -87.33) },
    { name: "JavaScript's exponential", run: () => exactExponential(jsLoops, -87.33) },
    { name: 'SIMD agrees with JavaScript', run: () => agree(simdLoops(), jsLoops) },
  ];
  if (backend === 'wasm') {
    checks.push(
      { name: 'tensors are used in place', run: inPlace },
      { name: 'the heap may grow in between', run: growth },
    );
  }
  return checks;
}

function everyKernel(): void {
  for (const shape of [
    [5, 7],
    [2, 9000],
    [2, 5, 3, 3],
  ]) {
    const x = tf.randomNormal(shape, 0, 3, 'float32', 1);
    const labels = tf.zeros([shape[0], ...shape.slice(2)], 'int32');
    const options = [{}, { labelSmoothing: 0.1 }];
    for (const option of options) {
      tf.grad((x) => crossEntropy(x, labels, option))(x);
      tf.grad((x) => crossEntropy(x, softmax(x, 1), option))(x);
    }
    tf.grad((x) => logSoftmax(x, 1))(x);
  }
}

function withoutLeaksSync(f: () => void): void {
  const before = tf.memory().numTensors;
  tf.tidy(f);
  assertEqual(tf.memory().numTensors, before, 'tensors');
}

const OPERATIONS = ['peak', 'exponentials', 'dot', 'logProbs', 'centred'] as const;

/** The operands of all loops that run during `f`. */
function record(f: () => void) {
  const used = { simd: [] as Float32Array[], js: [] as Float32Array[] };
  const restore: (() => void)[] = [];
  for (const [loops, list] of [
    [SimdLoops.prototype, used.simd],
    [jsLoops, used.js],
  ] as const) {
    for (const operation of OPERATIONS) {
      const original = Object.getOwnPropertyDescriptor(loops, operation)!;
      Object.defineProperty(loops, operation, {
        ...original,
        value(this: RowLoops, ...operands: unknown[]) {
          list.push(operands[1] as Float32Array);
          return original.value.apply(this, operands);
        },
      });
      restore.push(() => Object.defineProperty(loops, operation, original));
    }
  }
  try {
    f();
  } finally {
    for (const undo of restore) undo();
  }
  return used;
}

function simdLoops(): SimdLoops {
  const loops = hostLoops();
  if (!(loops instanceof SimdLoops)) throw new Error('no SIMD here');
  return loops;
}

/** At most 2 units in the last place where exp(x) is a normal float32, tried on a prime stride of all of them. */
function exactExponential(loops: RowLoops, lowest: number): void {
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  float[0] = lowest;
  const last = bits[0];
  const xs: number[] = [0, Number.NEGATIVE_INFINITY, Number.NaN, -1e-45, -104, -3e38];
  for (bits[0] = 0x80000000; bits[0] <= last; bits[0] += 9973) xs.push(float[0]);
  const results = map(loops, xs);
  assertEqual([results[0], results[1], Number.isNaN(results[2])], [1, 0, true], 'exp of 0, -Infinity and NaN');
  assertClose(results.slice(3, 6), [1, 0, 0], 2 ** -126, 'exp at the ends');
  let worst = 0;
  for (let i = 6; i < xs.length; i++) {
    const want = Math.exp(xs[i]);
    const ulp = 2 ** (Math.floor(Math.log2(want)) - 23);
    worst = Math.max(worst, Math.abs(results[i] - want) / ulp);
  }
  if (!(worst <= 2)) throw new Error(`exp is off by ${worst} units in the last place`);
}

/** exp of each. */
function map(loops: RowLoops, xs: number[]): number[] {
  const results: number[] = [];
  const [x] = loops.scratch;
  loops.max[0] = 0;
  loops.scale[0] = 1;
  for (let i = 0; i < xs.length; i += TILE) {
    const part = xs.slice(i, i + TILE);
    x.set(part);
    loops.exponentials({ rows: 1, classes: part.length, rowStride: part.length, classStride: 1 }, x, x);
    results.push(...x.subarray(0, part.length));
  }
  return results;
}

const near = (want: number) => 2e-6 * Math.max(1, Math.abs(want));

/** Every operation on tiles of both layouts, of all sizes around those of a vector. */
function agree(a: RowLoops, b: RowLoops): void {
  for (const rows of [1, 3, 4, 9, LANES]) {
    for (const classes of [1, 2, 3, 4, 5, 8, 15]) {
      const padded = (rows + 3) & ~3;
      for (const tile of [
        { rows, classes, rowStride: classes, classStride: 1 },
        { rows, classes, rowStride: 1, classStride: padded },
      ]) {
        for (const operation of OPERATIONS) {
          const what = `${operation} on ${rows} rows of ${classes}, strides ${tile.rowStride} and ${tile.classStride}`;
          assertClose(outcome(a, operation, tile), outcome(b, operation, tile), near, what);
        }
      }
    }
  }
}

/** What an operation leaves behind: lanes and elements, those of no row excepted. */
function outcome(loops: RowLoops, operation: (typeof OPERATIONS)[number], tile: Tile): number[] {
  const { rows, classes, rowStride, classStride } = tile;
  const [x, g] = loops.scratch;
  const at = (r: number, c: number) => r * rowStride + c * classStride;
  for (let r = 0; r < rows; r++) {
    loops.max[r] = r === 2 ? Number.POSITIVE_INFINITY : operation === 'peak' ? -2 : 1;
    loops.scale[r] = (r % 7) / 7;
    loops.turn[r] = (r % 5) / 5;
    for (const lane of [loops.sum, loops.product, loops.mass]) lane[r] = r % 11;
    for (let c = 0; c < classes; c++) {
      x[at(r, c)] = Math.sin(7 * r + c);
      g[at(r, c)] = c === 1 ? 0 : Math.cos(r + c);
    }
  }
  if (operation === 'exponentials') {
    loops.exponentials(tile, x);
    loops.exponentials(tile, x, x, g);
  } else if (operation === 'centred') loops.centred(tile, x, g, x);
  else if (operation === 'dot') loops.dot(tile, x, g);
  else loops[operation](tile, x, x);
  const result: number[] = [];
  for (let r = 0; r < rows; r++) {
    if (r === 2 && operation !== 'exponentials') continue; // only they leave rows out
    result.push(loops.max[r], loops.product[r], loops.mass[r]);
    if (r !== 2) result.push(loops.sum[r]);
    for (let c = 0; c < classes; c++) result.push(x[at(r, c)]);
  }
  return result;
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

interface WasmBackend {
  readonly wasm: { readonly HEAPU8: Uint8Array };
  getMemoryOffset(dataId: object): number;
}

const wasmBackend = () => tf.backend() as unknown as WasmBackend;

function inPlace(): void {
  tf.tidy(() => {
    const x = tf.randomNormal([6, 1000]);
    const labels = tf.zeros([6], 'int32');
    const { simd } = record(() => crossEntropy(x, labels));
    if (simd.length === 0) throw new Error('SIMD did nothing');
    assertEqual(
      simd.map(({ buffer, byteOffset }) => [buffer === wasmBackend().wasm.HEAPU8.buffer, byteOffset]),
      simd.map(() => [true, wasmBackend().getMemoryOffset(x.dataId)]),
      'where the loops ran',
    );
  });
}

/** Tensors that do not fit the heap as it is: its views are detached while a kernel runs. */
async function growth(): Promise<void> {
  await withoutLeaks(() => {
    const before = wasmBackend().wasm.HEAPU8.buffer;
    for (let size = 2 ** 20; wasmBackend().wasm.HEAPU8.buffer === before; size *= 2) {
      const x = tf.zeros([4, size]);
      const labels = tf.zeros([4], 'int32');
      const { value, grad } = tf.valueAndGrad((x) => crossEntropy(x, labels))(x);
      assertClose(value.dataSync(), [Math.log(size)], 1e-5, 'loss');
      assertClose(grad.slice([3, 0], [1, 2]).dataSync(), [(1 / size - 1) / 4, 1 / size / 4], 1e-6, 'gradient');
      if (size > 2 ** 26) throw new Error('the heap does not grow');
    }
  });
}
