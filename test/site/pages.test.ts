import { memory, setBackend } from '@tensorflow/tfjs';
import type { Result } from '../../bench/measure';
import { PIXELS, SIDE } from '../../examples/mnist/data';
import { reportOf } from '../../examples/site/check/report';
import { isBeyondHalf, judge, SUBJECTS, type Verdict, worstRight } from '../../examples/site/check/verdict';
import { rowsOf } from '../../examples/site/compare/rows';
import { bytes, decimals, digits3 } from '../../examples/site/format';
import { en } from '../../examples/site/messages/en';
import { sayReason } from '../../examples/site/messages/reasons';
import { zh } from '../../examples/site/messages/zh';
import { Learner } from '../../examples/site/train/learner';
import { toMnist } from '../../examples/site/train/pen';
import { type Deviation, describeDeviation, isWrong, worstOf } from '../support/deviation';
import { cases } from '../support/golden';

describe('deviations', () => {
  test.each([
    [[1, 2, 3], [1, 2.5, 3.25], { index: 1, error: 0.5 }],
    [[Number.NaN, 1], [Number.NaN, 1], { error: 0 }],
    [[Number.NaN, 1], [0, 9], { index: 0, error: Number.POSITIVE_INFINITY }],
    [[1, Number.POSITIVE_INFINITY], [1, Number.NEGATIVE_INFINITY], { index: 1, error: Number.POSITIVE_INFINITY }],
    [[1], [Number.NaN], { index: 0, error: Number.POSITIVE_INFINITY }],
    [[], [], { error: 0 }],
  ])('of %p from %p', (got, want, expected) => {
    expect(worstOf(got, want)).toMatchObject(expected);
  });

  test('are wrong beyond what is allowed, and where there is none', () => {
    const deviation = { result: 'value', index: 0, got: 1, want: 1.5, error: 0.5, allowed: 0.5, scale: 1 };
    expect(isWrong(deviation)).toBe(false);
    expect(isWrong({ ...deviation, allowed: 0.4 })).toBe(true);
    expect(isWrong({ ...deviation, error: Number.NaN })).toBe(true);
    expect(describeDeviation(deviation)).toBe('value: element 0: expected 1.5, got 1 (off by 0.5, allowed 0.5)');
  });
});

describe('the check of a device', () => {
  const plain = cases.find((test) => !isBeyondHalf(test, { infinities: false }) && !test.expect.error)!;
  const huge = cases.find((test) => isBeyondHalf(test, { infinities: true }))!;
  const infinite = cases.find(({ name }) => name === 'ce/index/2x3/none/neg-inf-at-target')!;
  const deviation = (error: number, scale = 1): Deviation => ({
    result: 'value',
    index: 3,
    got: 1,
    want: 1 + error,
    error,
    allowed: 1e-6 * scale,
    scale,
  });

  test('takes the worst error, relative to the result', () => {
    expect(judge(plain, [deviation(1e-7), deviation(5e-7, 10)], null)).toEqual({
      name: plain.name,
      kind: 'right',
      error: 1e-7,
      allowed: 1e-6,
    });
  });

  test('hides no fault', () => {
    const wrong = judge(plain, [deviation(1e-7), deviation(0.25)], null);
    expect(wrong).toMatchObject({ kind: 'wrong', error: 0.25 });
    expect(wrong.fault).toContain('expected 1.25, got 1');
    expect(judge(plain, new Error('size'), null)).toMatchObject({ kind: 'wrong', fault: 'size' });
    expect(judge(plain, [deviation(Number.NaN)], { infinities: false }).kind).toBe('wrong');
  });

  test('excuses half floats only where numbers are beyond them', () => {
    expect(judge(huge, [deviation(1)], { infinities: true }).kind).toBe('beyond');
    expect(judge(huge, [deviation(1)], null).kind).toBe('wrong');
    expect(judge(huge, [deviation(0)], { infinities: true }).kind).toBe('right');
    expect(judge(infinite, [deviation(1)], { infinities: true }).kind).toBe('wrong');
    expect(judge(infinite, [deviation(1)], { infinities: false }).kind).toBe('beyond');
    expect(cases.filter((test) => isBeyondHalf(test, { infinities: false })).length).toBeLessThan(cases.length / 10);
  });

  test('reports what agreed, what did not, and what is not there', () => {
    const right: Verdict = { name: 'a', kind: 'right', error: 2.5e-7, allowed: 1e-6 };
    const wrong: Verdict = { name: 'b', kind: 'wrong', error: 1, allowed: 1e-6, fault: 'value: expected 1|2, got NaN' };
    expect(worstRight([right, wrong, { ...right, error: 1e-8 }])).toBe(right);
    const text = reportOf(
      [
        { subject: SUBJECTS[2], state: 'done', device: 'a GPU', seconds: 1.25, verdicts: [right, wrong] },
        { subject: SUBJECTS[3], state: 'stopped', verdicts: [right] },
        { subject: SUBJECTS[4], state: 'absent', reason: 'noWebGPU', verdicts: [] },
      ],
      { library: '1.0.0', tfjs: '4.22.0', pytorch: '2.13.0', userAgent: 'A browser', cases: 2 },
    );
    expect(text).toContain('| webgl | 1 of 2 | 1 | 2.5e-7 in a | 1.3 s | a GPU |');
    expect(text).toContain('| webgl, half floats | stopped |');
    expect(text).toContain('| webgpu | absent: this browser has no WebGPU |');
    expect(text).toContain('- webgl, wrong: b: value: expected 1|2, got NaN');
    expect(text).toContain('A browser');
  });
});

test('the comparison: the fastest first, ratios to ours, bars to the longest quartile', () => {
  const result = (contender: string, median: number, more: Partial<Result> = {}): Result => ({
    backend: 'webgl',
    contender,
    mode: 'gradient',
    fault: null,
    time: { median, lower: median / 2, upper: 2 * median, samples: 7 },
    ...more,
  });
  const rows = rowsOf([
    result('logSoftmax x one-hot', 10, { fault: 'loss 1 instead of 2' }),
    result('slow', 0, { time: undefined, omitted: 'too slow' }),
    result('tfjs-cross-entropy', 2, { cost: { peakBytes: 5, peakGpuBytes: 7, programs: 4 } }),
  ]);
  expect(rows.map(({ name }) => name)).toEqual(['tfjs-cross-entropy', 'logSoftmax x one-hot', 'slow']);
  expect(rows[0]).toMatchObject({
    ours: true,
    ratio: 1,
    programs: 4,
    bytes: 7,
    bar: { median: 0.1, lower: 0.05, upper: 0.2 },
  });
  expect(rows[1]).toMatchObject({ ours: false, ratio: 5, fault: 'loss 1 instead of 2', bar: { upper: 1 } });
  expect(rows[2]).toMatchObject({ ratio: undefined, bar: undefined, omitted: 'too slow' });
});

describe('a drawn digit', () => {
  const side = 280;
  const drawing = (inked: (x: number, y: number) => boolean) =>
    Float32Array.from({ length: side * side }, (_, i) => (inked(i % side, Math.floor(i / side)) ? 1 : 0));

  test.each([
    ['in a corner', 5],
    ['in the middle', 120],
  ])('%s comes to the center, 20 pixels high', (_, at) => {
    const image = toMnist(drawing((x, y) => x >= at && x < at + 20 && y >= at && y < at + 100))!;
    const inked = [...image.keys()].filter((i) => image[i] > 0.5);
    const [xs, ys] = [inked.map((i) => i % SIDE), inked.map((i) => Math.floor(i / SIDE))];
    expect([Math.min(...xs), Math.max(...xs)]).toEqual([12, 15]);
    expect([Math.min(...ys), Math.max(...ys)]).toEqual([4, 23]);
  });

  test('is none where nothing is drawn', () => {
    expect(toMnist(new Float32Array(side * side))).toBeNull();
  });
});

describe('a learner', () => {
  const digits = {
    images: Float32Array.from({ length: 8 * PIXELS }, (_, i) => ((i * 7919) % 97) / 97),
    labels: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7),
  };

  test('goes on from the same weights and momentum after a move, and leaves nothing behind', async () => {
    await setBackend('cpu');
    const [one, other, theirs] = [new Learner('ours'), new Learner('ours'), new Learner('theirs')];
    for (const learner of [one, other, theirs]) for (let i = 0; i < 7; i++) await learner.step(digits);
    const { numTensors } = memory();
    await one.move(async () => {});
    expect(memory().numTensors).toBeLessThanOrEqual(numTensors + 1); // a scalar of the old optimizer's, which it does not dispose of
    const losses = [await one.step(digits), await other.step(digits), await theirs.step(digits)];
    expect(losses[0]).toBe(losses[1]);
    expect(losses[2]).toBeCloseTo(losses[1], 4);
    expect(other.peak!.bytes).toBeGreaterThan(784 * 128 * 4); // the gradient of the weights at least
    expect((await one.read(digits.images.slice(0, PIXELS))).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    for (const learner of [one, other, theirs]) learner.dispose();
  });
});

describe('the two languages', () => {
  /** Every message by the path of its key, with something for what it is about. */
  const all = (messages: unknown, path = ''): [string, string][] => {
    if (typeof messages === 'string') return [[path, messages]];
    if (typeof messages === 'function') return [[path, messages('1', '2', '3')]];
    return Object.entries(messages as object).flatMap(([key, value]) => all(value, `${path}.${key}`));
  };
  const han = /\p{Script=Han}/u;

  test('say the same things', () => {
    expect(all(zh).map(([path]) => path)).toEqual(all(en).map(([path]) => path));
    expect(all(en).length).toBeGreaterThan(100);
  });

  test('are two: names alone are the same in both', () => {
    const same = all(zh).filter(([, text]) => !han.test(text));
    expect(Object.fromEntries(same)).toEqual({
      '.explain.stages.logits.0': 'Logits',
      '.explain.stages.softmax.0': 'Softmax',
      '.explain.stages.logSoftmax.0': 'Log-softmax',
      '.train.onGpu': '（GPU）',
      '.compare.times': '1×',
      '.compare.caption': '1，2',
    });
    expect(all(en).filter(([, text]) => han.test(text))).toEqual([]);
  });

  test('name the reasons that the site has names for', () => {
    expect(sayReason('noWebGPU', en)).toBe('this browser has no WebGPU');
    expect(sayReason('noWebGPU', zh)).toBe('此浏览器没有 WebGPU');
    expect(sayReason('Script error.', zh)).toBe('Script error.');
  });
});

test('numbers', () => {
  expect([decimals(-1.98179), decimals(-0.00001), decimals(Number.NaN), decimals(Number.NEGATIVE_INFINITY)]).toEqual([
    '−1.9818',
    '0.0000',
    'NaN',
    '−∞',
  ]);
  expect([bytes(12), bytes(5120), bytes(2_010_000), digits3(1234.5), digits3(0.12345)]).toEqual([
    '12 B',
    '5.12 kB',
    '2.01 MB',
    '1235',
    '0.123',
  ]);
});
