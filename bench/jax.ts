import { type Contender, JAX, MODES, type Mode } from './contender';
import { faultOf, type Problem, solve } from './problem';

/** What jax-js runs on here; its own `cpu` interprets expressions element by element. */
export type JaxDevice = 'cpu' | 'wasm' | 'webgpu';

/** jax-js has no cross-entropy: log-softmax times one-hot labels, compiled by its `jit`. */
export async function jaxContender(problem: Problem, device: JaxDevice): Promise<Contender> {
  provideNavigator();
  const { blockUntilReady, defaultDevice, init, jit, nn, numpy: np, valueAndGrad } = await import('@jax-js/jax');
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no ${device} here`);
  defaultDevice(device);
  type Array = ReturnType<typeof np.array>;

  const { shape, logits, targets } = problem;
  const rows = targets.length;
  const x = np.array(logits).reshape([...shape]);
  const labels = np.array(targets, { dtype: np.int32 }).reshape([shape[0], ...shape.slice(2)]);
  const oneHot = np.moveaxis(nn.oneHot(labels, shape[1]), -1, 1);
  const loss = (x: Array, oneHot: Array): Array =>
    np
      .multiply(nn.logSoftmax(x, 1), oneHot)
      .sum()
      .mul(-1 / rows);
  const steps = { forward: jit(loss), gradient: jit(valueAndGrad(loss)) };
  // Each call uses its arguments up: `ref` keeps them.
  const step = async (mode: Mode): Promise<number> => {
    if (mode === 'forward') return (await steps.forward(x.ref, oneHot.ref).data())[0];
    const [value, gradient] = steps.gradient(x.ref, oneHot.ref);
    const [loss] = await value.data();
    await blockUntilReady(gradient);
    gradient.dispose();
    return loss;
  };
  return {
    name: JAX,
    modes: MODES,
    async check() {
      const [value, gradient] = steps.gradient(x.ref, oneHot.ref);
      const [[loss], values] = [await value.data(), await gradient.data()];
      return faultOf({ loss, gradient: values as Float32Array }, solve(problem));
    },
    async time(mode, count) {
      const start = performance.now();
      for (let i = 0; i < count; i++) await step(mode);
      return (performance.now() - start) / count;
    },
    dispose() {
      x.dispose();
      oneHot.dispose();
    },
  };
}

/** It reads `navigator` as it loads, which Node has from version 21 on. */
function provideNavigator(): void {
  (globalThis as { navigator?: object }).navigator ??= { userAgent: 'node', hardwareConcurrency: 1 };
}
