import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { crossEntropy } from 'tfjs-cross-entropy';

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
    '%j: the forward takes 16 bytes a row, and the gradient nothing but itself',
    (shape) => {
      tf.tidy(() => {
        const x = tf.randomNormal(shape);
        const labels = tf.zeros([shape[0], ...shape.slice(2)], 'int32');
        const loss = (x: tf.Tensor) => crossEntropy(x, labels);
        loss(x).dataSync(); // the page stays
        expect(peakOf(() => loss(x))).toBeLessThanOrEqual(16 * labels.size + 64);
        expect(peakOf(() => tf.valueAndGrad(loss)(x))).toBeLessThanOrEqual(4 * x.size + 64);
      });
    },
  );
});
