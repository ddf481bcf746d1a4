import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { crossEntropy, softmax } from 'tfjs-cross-entropy';

interface Heap {
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** The most bytes that are taken from wasm's heap at a time while `f` runs, beyond what was before. */
function peakOf(f: () => void): number {
  const { wasm } = tf.backend() as unknown as { wasm: Heap };
  const { _malloc, _free } = wasm;
  const sizes = new Map<number, number>();
  let [now, peak] = [0, 0];
  wasm._malloc = (bytes) => {
    const address = _malloc(bytes);
    sizes.set(address, bytes);
    now += bytes;
    peak = Math.max(peak, now);
    return address;
  };
  wasm._free = (address) => {
    now -= sizes.get(address) ?? 0;
    sizes.delete(address);
    _free(address);
  };
  try {
    f();
  } finally {
    Object.assign(wasm, { _malloc, _free });
  }
  return peak;
}

describe("wasm's heap", () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  test.each([[[256, 1000]], [[8, 32000]], [[2, 21, 64, 64]]])(
    '%j: the forward takes nothing, and the gradient nothing but itself',
    (shape) => {
      tf.tidy(() => {
        const x = tf.randomNormal(shape);
        const labels = tf.zeros([shape[0], ...shape.slice(2)], 'int32');
        const loss = (x: tf.Tensor) => crossEntropy(x, labels);
        loss(x).dataSync(); // the workspace stays
        expect(peakOf(() => loss(x))).toBeLessThanOrEqual(64);
        expect(peakOf(() => tf.valueAndGrad(loss)(x))).toBeLessThanOrEqual(4 * x.size + 64);
      });
    },
  );

  test('an error says how much was wanted where there is no more, and nothing is left behind', () => {
    const { wasm } = tf.backend() as unknown as { wasm: Heap };
    const { _malloc } = wasm;
    const x = tf.randomNormal([4, 500]);
    const across = tf.randomNormal([1, 70_000, 8]);
    const labels = tf.zeros([4], 'int32');
    const gradient = () => tf.grad((x: tf.Tensor) => crossEntropy(x, labels))(x);
    const want = gradient();
    const before = [tf.memory().numTensors, tf.engine().backend.numDataIds()];
    // Addresses above 2^31 are negative as Emscripten gives them.
    const least = 4 * x.size;
    wasm._malloc = (bytes) => (bytes >= least ? 0 : _malloc(bytes));
    try {
      expect(() => softmax(x, 1)).toThrow(`WebAssembly's memory is used up: ${least} more bytes are wanted.`);
      wasm._malloc = (bytes) => (bytes === 4 * across.size || bytes < least ? _malloc(bytes) : 0);
      expect(() => softmax(across, 1)).toThrow("WebAssembly's memory is used up");
    } finally {
      wasm._malloc = _malloc;
    }
    expect([tf.memory().numTensors, tf.engine().backend.numDataIds()]).toEqual(before);
    expect(Array.from(gradient().dataSync())).toEqual(Array.from(want.dataSync()));
    tf.dispose([x, across, labels, want]);
  });
});
