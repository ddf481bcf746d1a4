// For `src/kernels/tensorflow/routes.ts`: where TensorFlow's own operations overtake the kernels on the host.
// Run it with `npx tsx bench/routes.ts`, after a change to either, or with another TensorFlow.
import { dispose, mul, setBackend, tensor, tidy, valueAndGrad } from '@tensorflow/tfjs';
import { crossEntropy } from 'tfjs-cross-entropy';
import { routes } from '../src/kernels/tensorflow/routes';
import { makeProblem } from './problem';

const SHAPES = [
  ...[1 << 10, 1 << 12, 1 << 14, 1 << 16].map((rows) => [rows, 10]),
  ...[1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10].map((rows) => [rows, 1000]),
  ...[8, 32].map((rows) => [rows, 32000]),
  ...[32, 64, 128, 256].map((side) => [1, 21, side, side]),
];
const MILLISECONDS = 2000;

process.env.OMP_WAIT_POLICY ??= 'passive';
await import('@tensorflow/tfjs-node');
await setBackend('tensorflow');

for (const shape of SHAPES) {
  const { logits, targets } = makeProblem(shape);
  const x = tidy(() => mul(tensor(logits, shape), 1));
  const target = tensor(targets, [shape[0], ...shape.slice(2)], 'int32');
  const steps = {
    forward: () => crossEntropy(x, target),
    gradient: () => valueAndGrad((x) => crossEntropy(x, target))(x).value,
  };
  const figures = Object.entries(steps).map(([mode, step]) => {
    const [host, native] = leastTimes([Number.POSITIVE_INFINITY, 0], (size) => {
      Object.assign(routes, { size, classes: 1 });
      tidy(() => void step().dataSync());
    });
    return `${mode}: host ${host.toFixed(3)} native ${native.toFixed(3)} ms`.padEnd(44);
  });
  console.log(shape.join('x').padEnd(14), String(logits.length).padStart(9), ' ', ...figures);
  dispose([x, target]);
}

/** The shortest of many runs, in turns: what the machine can do when it is left alone. */
function leastTimes(limits: number[], run: (limit: number) => void): number[] {
  const least = limits.map(() => Number.POSITIVE_INFINITY);
  const until = performance.now() + MILLISECONDS;
  while (performance.now() < until) {
    for (const [i, limit] of limits.entries()) {
      const start = performance.now();
      run(limit);
      least[i] = Math.min(least[i], performance.now() - start);
    }
  }
  return least;
}
