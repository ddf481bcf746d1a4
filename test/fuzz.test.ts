import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { crossEntropy } from 'tfjs-cross-entropy';
import { fuzzCase } from './fuzz/cases';
import { judge, placeOf } from './fuzz/judge';
import { activate, loadBackend } from './fuzz/places';
import { toJSON } from './fuzz/problem';
import { suites } from './suites';

describe('on kernels made of public ops', () => {
  beforeAll(async () => {
    await loadBackend('composite');
    await activate('composite');
  });

  for (const { name, run } of suites['fuzz cases']('composite')) {
    test(name, async () => run({ backend: 'composite' }), 60_000);
  }
});

/** The kernels of the cpu backend, one of them a little wrong in one element. */
describe('the fuzz finds a kernel that is wrong by 1e-5 in one element:', () => {
  const OUTPUTS: Record<string, string[]> = {
    CrossEntropyLoss: ['loss', 'record or gradient'],
    NLLLoss: ['loss', 'record'],
    CrossEntropyLossGrad: ['gradient'],
    NLLLossGrad: ['gradient'],
    ScaleGradient: ['gradient'],
    SoftmaxDim: ['softmax'],
    SoftmaxDimGrad: ['gradient'],
    LogSoftmaxDim: ['log-softmax'],
    LogSoftmaxDimGrad: ['gradient'],
    LinearLogits: ['logits'],
    LinearInputGrad: ['gradient'],
    LinearWeightGrad: ['sum'],
  };
  const sabotaged: [kernel: string, output: string, index: number][] = [
    ...Object.entries(OUTPUTS).flatMap(([name, outputs]) =>
      outputs.map((output, i): [string, string, number] => [name, output, i]),
    ),
    // The last of the outputs where stats are wanted.
    ['CrossEntropyLoss', 'correct', -2],
    ['CrossEntropyLoss', 'count', -1],
  ];

  beforeAll(async () => {
    await activate('cpu');
    tf.tidy(() => crossEntropy(tf.zeros([1, 2]), tf.zeros([1], 'int32'))); // registers the kernels
  });

  test.each(sabotaged)(
    '%s, %s',
    async (kernelName, _, output) => {
      const kernel = tf.getKernel(kernelName, 'cpu');
      const cases = fc.sample(fuzzCase, { seed: 20260111, numRuns: 300 });
      tf.unregisterKernel(kernelName, 'cpu');
      tf.registerKernel({
        ...kernel,
        kernelFunc: (params) => {
          const outputs = kernel.kernelFunc(params);
          return output < 0 && !params.attrs?.stats ? outputs : sabotage(outputs, output);
        },
      });
      try {
        let found = 0;
        for (const test of cases) {
          if ((await judge(test, placeOf('cpu'))).fault !== null) found++;
          if (found === 3) break;
        }
        expect(found).toBe(3);
      } finally {
        tf.unregisterKernel(kernelName, 'cpu');
        tf.registerKernel(kernel);
      }
      for (const test of cases.slice(0, 20)) {
        const { fault } = await judge(test, placeOf('cpu'));
        if (fault !== null) throw new Error(`${fault}\n${toJSON(test)}`);
      }
    },
    60_000,
  );

  /** One element of an output times 1 + 1e-5, if there is any but 0. */
  function sabotage(outputs: tf.TensorInfo | tf.TensorInfo[], index: number) {
    const info = Array.isArray(outputs) ? outputs.at(index) : outputs;
    if (!info) return outputs;
    const values = (tf.backend() as unknown as { readSync(id: object): Float32Array }).readSync(info.dataId);
    const at = Array.from(values, (x) => x !== 0 && Number.isFinite(x)).lastIndexOf(true);
    if (at >= 0) values[at] *= 1 + 1e-5;
    return outputs;
  }
});
