import * as tf from '@tensorflow/tfjs';
import { crossEntropy, logSoftmax, nllLoss, type Reduction, softmax } from 'tfjs-cross-entropy';
import { routes } from '../src/kernels/tensorflow/routes';
import { suites } from './suites';
import { describeWith } from './support/backends';

type Execute = (name: string, ...rest: unknown[]) => unknown;

/** The operations of TensorFlow's that `f` runs, but for those that only give a tensor another shape. */
function operationsOf(f: () => tf.TensorContainer): string[] {
  const backend = tf.backend() as unknown as Record<'executeSingleOutput' | 'executeMultipleOutputs', Execute>;
  const names: string[] = [];
  for (const method of ['executeSingleOutput', 'executeMultipleOutputs'] as const) {
    const original = backend[method];
    jest.spyOn(backend, method).mockImplementation((name, ...rest) => {
      names.push(name);
      return original.call(backend, name, ...rest);
    });
  }
  tf.tidy(f);
  jest.restoreAllMocks();
  return names.filter((name) => name !== 'Reshape');
}

describeWith('NATIVE')('tensorflow', () => {
  beforeAll(async () => {
    require('@tensorflow/tfjs-node');
    expect(await tf.setBackend('tensorflow')).toBe(true);
  });

  describe('which kernels serve', () => {
    const problem = (rows: number, classes: number, kind: 'index' | 'probability' = 'index') => {
      const x = tf.randomNormal([rows, classes]);
      const target = kind === 'index' ? tf.zeros([rows], 'int32') : tf.softmax(tf.randomNormal([rows, classes]));
      return { x, target };
    };
    const large = { rows: 16, classes: routes.size / 16 + 1 };

    test('the host for small inputs', () => {
      const { x, target } = problem(16, routes.size / 16);
      expect(operationsOf(() => crossEntropy(x, target))).toEqual([]);
      expect(operationsOf(() => tf.grad((x) => crossEntropy(x, target))(x))).toEqual([]);
      expect(operationsOf(() => [softmax(x, 1), logSoftmax(x, 1), nllLoss(x, target)])).toEqual([]);
      const channelsFirst = tf.zeros([2, 8, routes.size / 8]);
      expect(operationsOf(() => softmax(channelsFirst, 1))).toEqual([]);
    });

    test('TensorFlow for large ones', () => {
      const { x, target } = problem(large.rows, large.classes);
      const forward = ['Max', 'Softmax', 'Max', 'GatherV2'];
      expect(operationsOf(() => crossEntropy(x, target))).toEqual(forward);
      const gradient = (reduction: Reduction, dy?: tf.Tensor) =>
        operationsOf(() => tf.grad((x) => crossEntropy(x, target, { reduction }))(x, dy));
      const alongside = [...forward, 'Mul', 'InplaceSub'];
      expect(gradient('mean')).toEqual(alongside);
      expect(gradient('mean', tf.scalar(2))).toEqual([...alongside, 'Mul']);
      expect(gradient('none')).toEqual([...forward, 'Softmax', 'Mul', 'InplaceSub']);
      expect(operationsOf(() => nllLoss(x, target))).toEqual(['GatherV2']);
      expect(operationsOf(() => softmax(x, 1))).toEqual(['Softmax']);
      expect(operationsOf(() => logSoftmax(x, 1))).toEqual(['LogSoftmax']);
    });

    test('the host for what has coefficients for all classes', () => {
      const { x, target } = problem(large.rows, large.classes, 'probability');
      expect(operationsOf(() => tf.grad((x) => crossEntropy(x, target))(x))).toEqual([]);
      const labels = tf.zeros([large.rows], 'int32');
      expect(operationsOf(() => tf.grad((x) => crossEntropy(x, labels, { labelSmoothing: 0.1 }))(x))).toEqual([]);
    });

    test('three times the logits are allocated at most', async () => {
      const { x, target } = problem(large.rows, large.classes);
      const { numBytes } = tf.memory();
      const { peakBytes, result } = await tf.profile(() =>
        Object.values(tf.valueAndGrad((x) => crossEntropy(x, target))(x)),
      );
      tf.dispose(result);
      const perRow = 4 * 16 * large.rows;
      expect(peakBytes - numBytes).toBeLessThan(3 * 4 * x.size + perRow);
    });
  });

  describe('with TensorFlow serving all sizes', () => {
    const measured = { ...routes };
    beforeAll(() => {
      Object.assign(routes, { size: 0, classes: 1 });
    });
    afterAll(() => {
      Object.assign(routes, measured);
    });

    for (const { name, run } of suites.golden('tensorflow')) test(name, async () => run({ backend: 'tensorflow' }));
  });
});
