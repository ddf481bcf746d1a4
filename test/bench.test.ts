import { setBackend } from '@tensorflow/tfjs';
import type { Contender } from '../bench/contender';
import { measure } from '../bench/measure';
import { measureShape } from '../bench/measure-shape';
import { faultOf, makeProblem, solve } from '../bench/problem';
import { tables } from '../bench/report';

const budget = { time: 1, warmUp: 0, patience: 1000 };

describe('the benchmark', () => {
  beforeAll(() => setBackend('cpu'));

  test('knows the right answer', () => {
    const logits = Float32Array.of(2, 1, 0, 0, 0, 3);
    const { loss } = solve({ shape: [2, 3], logits, targets: Int32Array.of(0, 2) });
    expect(loss).toBeCloseTo(0.2513, 4);
  });

  test.each([
    ['a wrong loss', { loss: 1.01, gradient: [1, -1] }, 'loss 1.0100 instead of 1.0000'],
    ['a wrong gradient', { loss: 1, gradient: [1, -0.9] }, 'gradient off by 10% of its largest element'],
    ['NaN in the gradient', { loss: 1, gradient: [Number.NaN, -1] }, 'gradient off by NaN% of its largest element'],
    ['a right answer', { loss: 1.00001, gradient: [1, -1] }, null],
  ])('judges %s', (_, got, fault) => {
    expect(faultOf(got, { loss: 1, gradient: [1, -1] })).toBe(fault);
  });

  test('measures all contenders in both modes, on either layout', async () => {
    for (const shape of [
      [16, 10],
      [2, 5, 3, 4],
    ]) {
      const results = await measureShape(shape, budget);
      expect(results.map(({ contender, mode, fault }) => [contender, mode, fault])).toEqual(
        ['forward', 'gradient'].flatMap((mode) =>
          ['tfjs-cross-entropy', 'tf.losses.softmaxCrossEntropy', 'logSoftmax x one-hot', "layers' sparse loss"].map(
            (contender) => [contender, mode, null],
          ),
        ),
      );
      for (const { time, cost } of results) {
        expect(time!.median).toBeGreaterThan(0);
        expect(cost!.peakBytes).toBeGreaterThan(0);
      }
    }
  });

  test('says who is wrong and who fails', async () => {
    const want = solve(makeProblem([4, 3]));
    const contender = (name: string, answer: Contender['answer']): Contender => ({ name, answer, time: async () => 1 });
    const results = await measure(
      [
        contender('liar', async () => ({ ...want, loss: 0 })),
        contender('failure', async () => {
          throw new Error('too large');
        }),
      ],
      want,
      budget,
    );
    const rows = results.map((result) => ({ ...result, backend: 'node/cpu', shape: [4, 3] }));
    const text = tables({ date: '', machine: '', versions: {}, absent: ['a backend'], rows });
    expect(text).toContain('Absent: a backend');
    expect(text).toMatch(/liar .* loss 0\.0000 instead of/);
    expect(text).toMatch(/failure .* fails: too large/);
  });
});
