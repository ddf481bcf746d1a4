import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from 'tfjs-cross-entropy';
import { type Check, isHost } from '../support/check';
import { cases, evaluate, expected } from '../support/golden';
import { assertClose, numbers, withoutLeaks } from '../support/tensors';

/** Where float32 goes wrong for those who add up naively, or go through log-probabilities. */
export function accuracySuite(backend: string): Check[] {
  return [
    {
      name: "errors are no larger than PyTorch's own",
      run: async () => {
        if (!isHost(backend)) return; // a GPU's exp and log are coarser; golden.ts bounds them
        const ours: number[] = [];
        const pytorchs: number[] = [];
        for (const test of cases) {
          if (test.expect.error || test.tags.includes('quirk')) continue;
          await withoutLeaks(async () => {
            for (const [name, result] of Object.entries(evaluate(test))) {
              if (name.startsWith('hvp')) continue;
              const want = numbers(expected(test, name).data);
              const finite = [...want.keys()].filter((i) => Number.isFinite(want[i]));
              const largest = Math.max(...finite.map((i) => Math.abs(want[i])));
              if (!(largest > 0)) continue;
              const ulp = 2 ** (Math.floor(Math.log2(largest)) - 23);
              const got = await result.data();
              const error = Math.max(...finite.map((i) => Math.abs(got[i] - want[i])));
              ours.push(error / ulp);
              pytorchs.push(test.expect.f32Err[name].maxAbs / ulp);
              const allowed = test.expect.f32Err[name].maxAbs + 4 * ulp;
              if (error > allowed) throw new Error(`${test.name}, ${name}: off by ${error}, allowed ${allowed}`);
            }
          });
        }
        const mean = (x: number[]) => x.reduce((a, b) => a + b, 0) / x.length;
        if (mean(ours) > mean(pytorchs)) {
          throw new Error(`off by ${mean(ours)} ulp on average, PyTorch by ${mean(pytorchs)}`);
        }
      },
    },
    {
      name: 'gradients of tiny probabilities among 128,256 classes',
      run: () =>
        withoutLeaks(async () => {
          const [N, C] = [2, 128256];
          const logits = pseudoRandom(N * C).map((u) => Math.fround(20 * u - 10));
          const x = tf.tensor2d(logits, [N, C]);
          const t = tf.tensor1d([7, 99], 'int32');
          const gradient = await tf
            .grad((x: tf.Tensor) => crossEntropy(x, t, { reduction: 'sum' }))(x)
            .data();
          const want = [0, 1].flatMap((r) => softmax64(logits.slice(r * C, (r + 1) * C)));
          want[7] -= 1;
          want[C + 99] -= 1;
          // Relative to each one: PyTorch, whose gradient is exp(logProb), reaches 2e-5 here.
          assertClose(gradient, want, (value) => (isHost(backend) ? 2e-6 : 1e-5) * Math.abs(value), 'gradient');
        }),
    },
    {
      name: `the mean over ${isHost(backend) ? '10 million' : '200,000'} rows`,
      run: () =>
        withoutLeaks(async () => {
          const rows = isHost(backend) ? 1e7 : 2e5;
          const differences = [0.1, 0.7, -0.3]; // few values: rounding errors of equal terms do not average out
          const logits = Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? differences[(i >> 1) % 3] : 0));
          const loss = crossEntropy(tf.tensor2d(logits, [rows, 2]), tf.zeros([rows], 'int32'));
          const losses = differences.map((d) => Math.log1p(Math.exp(Math.fround(d))));
          const want = differences.reduce((sum, _, k) => sum + losses[k] * Math.ceil((rows - k) / 3), 0) / rows;
          assertClose(await loss.data(), [want], 1e-6 * want, 'mean');
        }),
    },
  ];
}

/** The same numbers everywhere, in [0, 1): a linear congruential generator. */
function pseudoRandom(length: number): number[] {
  let state = 12345;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

function softmax64(x: number[]): number[] {
  const max = x.reduce((a, b) => Math.max(a, b));
  const sum = x.reduce((total, xc) => total + Math.exp(xc - max), 0);
  return x.map((xc) => Math.exp(xc - max) / sum);
}
