import * as tf from '@tensorflow/tfjs';
import { crossEntropy, logSoftmax, nllLoss, type Reduction, softmax } from 'tfjs-cross-entropy';
import { type Check, isHost } from '../support/check';
import { type Problem, solve } from '../support/reference';
import { assertClose, assertThrows, withoutLeaks } from '../support/tensors';

type Loss = (x: tf.Tensor) => tf.Tensor;

const X = [1, 2, 3, 0, 1, -1];
const SHAPE = [2, 3];

/** Derivatives of derivatives, by every way that TensorFlow.js has to take them. */
export function derivativesSuite(backend: string): Check[] {
  const tolerance = isHost(backend) ? 2e-6 : 2e-5;
  const check = (name: string, run: () => void | Promise<void>): Check => ({ name, run: () => withoutLeaks(run) });

  /** The derivative of `loss + sum(gradient^2)`, by several ways to write it. */
  async function penalised(loss: Loss, gradient: (x: number[]) => number[], what: string): Promise<void> {
    const g = gradient(X);
    // The derivative of the penalty is 2 H g: the gradient's central difference along g.
    const step = 1e-5;
    const [ahead, behind] = [step, -step].map((h) => gradient(X.map((x, i) => x + h * g[i])));
    const want = g.map((gi, i) => gi + (ahead[i] - behind[i]) / step);
    const total = (l: tf.Tensor, inner: tf.Tensor) => tf.add(tf.sum(l), tf.sum(tf.square(inner))) as tf.Scalar;
    const x = tf.tensor(X, SHAPE);
    const ways: Record<string, () => tf.Tensor> = {
      'of a loss made inside': () => tf.grad((x) => total(loss(x), tf.grad((y) => tf.sum(loss(y)))(x)))(x),
      'of a loss made earlier': () =>
        tf.grad((x) => {
          const l = tf.sum(loss(x));
          return total(l, tf.grad(() => l)(x));
        })(x),
      'of a loss made earlier, of logits in between': () =>
        tf.grad((x) => {
          const logits = tf.mul(x, 1);
          const l = tf.sum(loss(logits));
          return total(l, tf.grad(() => l)(x));
        })(x),
      'by half of it twice': () =>
        tf.grad((x) => {
          const l = tf.sum(loss(x));
          const half = () => tf.grad(() => l)(x, tf.scalar(0.5));
          return total(l, tf.add(half(), half()));
        })(x),
      'with customGrad around the loss': () => {
        const wrapped = tf.customGrad((y) => ({
          value: tf.sum(loss(y as tf.Tensor)),
          gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.grad((z) => tf.sum(loss(z)))(y as tf.Tensor)),
        }));
        return tf.grad((x) => total(tf.mul(tf.sum(loss(x)), 1), tf.grad((y) => wrapped(y))(x)))(x);
      },
      'with variableGrads': () => {
        const v = tf.variable(x);
        const { value, grads } = tf.variableGrads(() => {
          const l = tf.sum(loss(v));
          return total(l, tf.grad(() => l)(v));
        });
        tf.dispose([value, v]);
        return Object.values(grads)[0];
      },
    };
    for (const [way, derivative] of Object.entries(ways)) {
      assertClose(await derivative().data(), want, tolerance, `${what}, ${way}`);
    }
  }

  const REDUCTIONS: Reduction[] = ['mean', 'sum', 'none'];
  const probabilities = [0.2, 0.5, 0.3, 0.1, 0, 0.9];

  return [
    check("a loss made earlier: PyTorch's numbers", async () => {
      const x = tf.tensor(X, SHAPE);
      const t = tf.tensor1d([0, 2], 'int32');
      const derivative = tf.grad((x: tf.Tensor) => {
        const l = crossEntropy(x, t);
        const g = tf.grad(() => l)(x);
        return tf.add(l, tf.sum(tf.square(g)));
      })(x);
      const want = [-0.5148767, 0.1008546, 0.4140222, 0.1008546, 0.4140222, -0.5148767];
      assertClose(await derivative.data(), want, tolerance, 'derivative');
    }),

    ...REDUCTIONS.flatMap((reduction) => [
      check(`of losses with reduction '${reduction}'`, async () => {
        for (const kind of ['crossEntropy', 'nllLoss'] as const) {
          for (const labelSmoothing of kind === 'nllLoss' ? [0] : [0, 0.2]) {
            for (const target of [{ indices: [0, 2] }, { indices: [-1, 1] }, { probabilities }]) {
              if (kind === 'nllLoss' && !('indices' in target)) continue;
              for (const weight of [null, [1, 2, 0.5]]) {
                const options = { reduction, weight, ignoreIndex: -1 };
                const t = target.indices ? tf.tensor1d(target.indices, 'int32') : tf.tensor(probabilities, SHAPE);
                const loss: Loss = (x) =>
                  kind === 'nllLoss' ? nllLoss(x, t, options) : crossEntropy(x, t, { ...options, labelSmoothing });
                const upstream = reduction === 'none' ? [1, 1] : [1];
                const problem = { kind, shape: SHAPE, dim: 1, target, ...options, labelSmoothing, upstream };
                const what = `${kind} ${JSON.stringify({ target, weight, labelSmoothing })}`;
                await penalised(loss, (input) => solve({ ...problem, input }).gradInput, what);
              }
            }
          }
        }
      }),
    ]),

    check('of softmax and log-softmax', async () => {
      const v = [1, -1, 2, 0.5, 3, -2];
      const rows = (x: number[], f: (p: number[], v: number[]) => number[]) =>
        [0, 3].flatMap((at) => {
          const exps = x.slice(at, at + 3).map(Math.exp);
          const sum = exps.reduce((a, b) => a + b, 0);
          return f(
            exps.map((e) => e / sum),
            v.slice(at, at + 3),
          );
        });
      const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
      const weigh = (y: tf.Tensor) => tf.mul(y, tf.tensor(v, SHAPE));
      await penalised(
        (x) => weigh(softmax(x, 1)),
        (x) => rows(x, (p, v) => p.map((pc, c) => pc * (v[c] - dot(p, v)))),
        'softmax',
      );
      await penalised(
        (x) => weigh(logSoftmax(x, 1)),
        (x) => rows(x, (p, v) => p.map((pc, c) => v[c] - pc * v.reduce((a, b) => a + b, 0))),
        'logSoftmax',
      );
    }),

    check("of softmax and log-softmax, by way of an upstream gradient: PyTorch's numbers", async () => {
      // Of the squares of the gradient of the sum of cubes.
      const want = new Map([
        [logSoftmax, [-92.6857824, 440.6866868, -348.0009044, -55.7369617, -725.0803117, 780.8172735]],
        [softmax, [-0.0932366, 0.1355644, -0.0423278, -0.1035073, -0.028, 0.1315073]],
      ]);
      for (const [f, numbers] of want) {
        const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(f(x, 1), tf.square(f(x, 1)))));
        const derivative = tf.grad((x: tf.Tensor) => tf.sum(tf.square(gradient(x))))(
          tf.tensor([1, 2, 0.5, 0, -1, 1], SHAPE),
        );
        const largest = Math.max(...numbers.map(Math.abs));
        assertClose(await derivative.data(), numbers, 2 * tolerance * Math.max(1, largest), f.name);
      }
    }),

    check('by probabilities that have no share in the loss: 0, also of a masked class', async () => {
      const loss = (q: tf.Tensor) => crossEntropy(tf.tensor2d([[1, -Infinity]]), q, { labelSmoothing: 1 });
      assertClose(
        await tf
          .grad(loss)(tf.tensor2d([[0.5, 0.5]]))
          .data(),
        [0, 0],
        0,
        'derivative',
      );
    }),

    {
      // Not checked for leaks: where a gradient function throws, TensorFlow.js abandons what its tape has saved.
      name: 'of the gradient by class weights where the target holds indices: an error',
      run: () => {
        const t = tf.tensor1d([0, 2], 'int32');
        const gradient = (weight: tf.Tensor) =>
          tf.grad((x: tf.Tensor) => crossEntropy(x, t, { weight: weight as tf.Tensor1D }))(tf.tensor(X, SHAPE));
        const derivative = tf.grad((weight: tf.Tensor) => tf.sum(tf.square(gradient(weight))));
        assertThrows(() => derivative(tf.tensor1d([1, 2, 3])), "with respect to argument 'weight'");
      },
    },

    check('of nothing: second and third derivatives of empty tensors and of ignored rows', async () => {
      for (const shape of [
        [0, 3],
        [0, 3, 3],
        [2, 3, 0],
        [2, 0],
        [2, 3],
      ]) {
        const x = tf.ones(shape);
        const rows = shape.filter((_, axis) => axis !== 1);
        const targets = [tf.fill(rows, -100, 'int32'), ...(x.size === 0 ? [tf.ones(shape)] : [])];
        for (const target of targets) {
          for (const reduction of REDUCTIONS) {
            const options = { reduction, labelSmoothing: 0.1 };
            // Not their sum: webgl cannot sum up nothing.
            let derivative: Loss = (x) => crossEntropy(x, target, options);
            for (let order = 1; order <= 3; order++) {
              const f = derivative;
              derivative = (x) => tf.grad(f)(x);
              const got = derivative(x);
              assertClose(got.shape, shape, 0, 'shape');
              assertClose(
                await got.data(),
                new Array(x.size).fill(0),
                0,
                `derivative ${order} of ${shape}, ${reduction}`,
              );
            }
          }
        }
      }
    }),

    check('of nothing, by its upstream gradient, its probabilities and its weight', async () => {
      for (const shape of [
        [0, 3],
        [0, 3, 0],
        [2, 3, 0],
        [2, 0],
      ]) {
        const x = tf.ones(shape);
        const q = tf.ones(shape);
        const rows = shape.filter((_, axis) => axis !== 1);
        const weight = tf.ones([shape[1]]);
        for (const reduction of REDUCTIONS) {
          const dy = tf.ones(reduction === 'none' ? rows : []);
          const f = (x: tf.Tensor, q: tf.Tensor, w: tf.Tensor) =>
            crossEntropy(x, q, { reduction, weight: w as tf.Tensor1D });
          const slope = (dy: tf.Tensor, q: tf.Tensor, w: tf.Tensor) => tf.grad((x: tf.Tensor) => f(x, q, w))(x, dy);
          const second = tf.grads(slope)([dy, q, weight], tf.ones(shape));
          const what = `${shape}, ${reduction}`;
          for (const [i, got] of [...tf.grads(f)([x, q, weight], dy), ...second].entries()) {
            assertClose(await got.data(), new Array(got.size).fill(0), 0, `derivative ${i} of ${what}`);
          }
        }
      }
    }),

    check('of a loss whose logits are gone, where they were saved', async () => {
      const gradient = (x: number[]) => {
        const input = x.map((xi) => 2 * xi);
        const problem = {
          kind: 'crossEntropy',
          shape: SHAPE,
          dim: 1,
          input,
          target: { indices: [0, 2] },
          weight: null,
        };
        const rest = { ignoreIndex: -100, reduction: 'none', labelSmoothing: 0, upstream: [2, 2] };
        return solve({ ...problem, ...rest } as Problem).gradInput;
      };
      const g = gradient(X);
      const [ahead, behind] = [1e-5, -1e-5].map((h) => gradient(X.map((x, i) => x + h * g[i])));
      const want = ahead.map((a, i) => (a - behind[i]) / 1e-5);
      const oneHot = tf.tensor2d([1, 0, 0, 0, 0, 1], [2, 3]); // with such a target they are
      assertClose(await squaredGradient(oneHot).data(), want, 4 * tolerance, 'derivative');
    }),

    {
      // Not checked for leaks: where a gradient function throws, TensorFlow.js abandons what its tape has saved.
      name: 'of a loss whose logits are gone, where they were not: an error that says what to do',
      run: () => {
        if (!isHost(backend)) return; // GPUs save them
        assertThrows(
          () => squaredGradient(tf.tensor1d([0, 2], 'int32')),
          'Make the loss inside the function that is differentiated',
        );
      },
    },
  ];
}

/** The derivative of the squares of a gradient, of a loss of logits that a tidy has disposed of. */
function squaredGradient(target: tf.Tensor): tf.Tensor {
  return tf.grad((x: tf.Tensor) => {
    const l = tf.tidy(() => crossEntropy(tf.mul(x, 2), target, { reduction: 'sum' }));
    return tf.sum(tf.square(tf.grad(() => l)(x)));
  })(tf.tensor(X, SHAPE));
}
