import { spawnSync } from 'node:child_process';
import { setBackend } from '@tensorflow/tfjs';
import { pytorch as pytorchCode, typescript } from '../../examples/site/explain/code';
import { figureOf } from '../../examples/site/explain/figure';
import { ARTICLE, fromQuery, resize, type Settings, toQuery } from '../../examples/site/explain/settings';
import article from '../oracle/article.json';
import { solve } from '../support/reference';
import { expectPromised, runSnippet } from '../support/snippets';
import { assertClose } from '../support/tensors';

const pytorch = article.results as unknown as Record<string, { float64: number | number[] | number[][] }>;
const flat = (x: unknown) => [x].flat(2) as number[];
const agrees = (got: unknown, want: unknown, what: string) => assertClose(flat(got), flat(want), 1e-6, what);

describe("the figure's numbers", () => {
  beforeAll(() => setBackend('cpu'));

  test('of the article, are those of PyTorch', () => {
    expect(ARTICLE.logits).toEqual(article.X);
    expect(ARTICLE.target).toEqual(article.target);
    const figure = figureOf(ARTICLE);
    agrees(figure.logSoftmax, pytorch['LogSoftmax(dim=1)(X)'].float64, 'log-softmax');
    agrees(figure.nll, pytorch['NLLLoss()(LogSoftmax(dim=1)(X), target)'].float64, 'NLL');
    agrees(figure.loss, pytorch['CrossEntropyLoss()(X, target)'].float64, 'loss');
    agrees(figure.rows, pytorch["CrossEntropyLoss(reduction='none')(X, target)"].float64, 'rows');
    agrees(figure.gradient, pytorch['d CrossEntropyLoss()(X, target) / dX'].float64, 'gradient');
    const sum = figureOf({ ...ARTICLE, reduction: 'sum' });
    agrees(sum.loss, pytorch["CrossEntropyLoss(reduction='sum')(X, target)"].float64, 'sum');
  });

  test("of the article's slip, too", () => {
    const figure = figureOf({ ...ARTICLE, dim: 0, labelSmoothing: 0.5 }); // NLLLoss knows no smoothing
    agrees(figure.softmax, pytorch['Softmax(dim=0)(X)'].float64, 'softmax');
    agrees(figure.logSoftmax, pytorch['log(Softmax(dim=0)(X))'].float64, 'log-softmax');
    agrees(figure.loss, pytorch['NLLLoss()(log(Softmax(dim=0)(X)), target)'].float64, 'loss');
  });

  test('with all settings, are those of the float64 reference', () => {
    const settings: Settings = {
      ...ARTICLE,
      logits: [...ARTICLE.logits, [3, -2, 0.5]],
      target: [0, 1, 2, 1],
      labelSmoothing: 0.3,
      weight: [1, 0.5, 2],
      ignoreIndex: 2,
    };
    const figure = figureOf(settings);
    const { value, gradInput } = solve({
      kind: 'crossEntropy',
      shape: [4, 3],
      dim: 1,
      input: settings.logits.flat(),
      target: { indices: [...settings.target] },
      weight: [...settings.weight],
      ignoreIndex: 2,
      reduction: 'mean',
      labelSmoothing: 0.3,
      upstream: [1],
    });
    agrees(figure.loss, value, 'loss');
    agrees(figure.gradient, gradInput, 'gradient');
    expect(figure.live).toEqual([true, true, false, true]);
    expect(figure.divisor).toBe(2);
    agrees(figure.rows.reduce((a, b) => a + b, 0) / figure.divisor, value, 'what the figure adds up');
    agrees(figure.asked[0], [0.8, 0.1, 0.1], 'what the target asks for');
  });

  test('where all rows are ignored, are NaN and a gradient of 0, as in PyTorch', () => {
    const { loss, gradient } = figureOf({ ...ARTICLE, target: [1, 1, 1], ignoreIndex: 1 });
    expect(loss).toBeNaN();
    expect(flat(gradient).map(Math.abs)).toEqual(Array(9).fill(0));
  });
});

describe('the code beside the figure', () => {
  const every: Settings = { ...ARTICLE, labelSmoothing: 0.3, weight: [1, 0.5, 2], ignoreIndex: 1, reduction: 'sum' };
  const settings: [string, Settings][] = [
    ['as in the article', ARTICLE],
    ['with one option', { ...ARTICLE, labelSmoothing: 0.1 }],
    ['with all options', every],
    ['over the rows', { ...ARTICLE, dim: 0 }],
    ['over the rows, with all options', { ...every, dim: 0 }],
  ];
  const lossOf = (settings: Settings) => figureOf(settings).loss.toFixed(4);

  test.each(settings)('%s prints what the figure shows', async (_, settings) => {
    const code = typescript(settings, lossOf(settings));
    expectPromised(code, await runSnippet(code));
  });

  const python = process.env.PYTHON ?? 'python3';
  const hasPyTorch = spawnSync(python, ['-c', 'import torch']).status === 0;
  if (!hasPyTorch) console.warn(`\n!!!! SKIPPED: the figure's code in PyTorch: ${python} has none. !!!!\n`);
  (hasPyTorch ? test.each(settings) : test.skip.each(settings))('%s prints it in PyTorch', (_, settings) => {
    const { stdout, stderr } = spawnSync(python, ['-c', pytorchCode(settings, '')], { encoding: 'utf8' });
    expect(Number(stdout.match(/tensor\((.*)\)/)?.[1] ?? stderr)).toBeCloseTo(figureOf(settings).loss, 4);
  });
});

describe('the address', () => {
  const restored = (settings: Settings) => fromQuery(new URLSearchParams(toQuery(settings).toString()));

  test('of the article says nothing', () => {
    expect(toQuery(ARTICLE).toString()).toBe('');
    expect(fromQuery(new URLSearchParams())).toEqual(ARTICLE);
  });

  test('keeps all settings', () => {
    const settings: Settings = {
      logits: [
        [1, -2.5, 0, 1e-3],
        [0.25, 7, 3, -100],
      ],
      target: [3, 0],
      dim: 0,
      labelSmoothing: 0.15,
      weight: [1, 0, 2.5, 1],
      ignoreIndex: 0,
      reduction: 'sum',
    };
    expect(restored(settings)).toEqual(settings);
  });

  test.each([
    ['logits=1,2;3', ARTICLE],
    ['logits=1,NaN,3', ARTICLE],
    ['logits=1e9,0', ARTICLE],
    ['target=0,1,3', ARTICLE],
    ['target=0,1', ARTICLE],
    ['smoothing=2', ARTICLE],
    ['smoothing=', ARTICLE],
    ['weight=1,-1,1', ARTICLE],
    ['ignore=3', ARTICLE],
    ['ignore=', ARTICLE],
    ['dim=7&reduction=none', ARTICLE],
  ])('that makes no sense is the article: %s', (query, want) => {
    expect(fromQuery(new URLSearchParams(query))).toEqual(want);
  });

  test('of other logits alone has targets and weights that fit', () => {
    const settings = fromQuery(new URLSearchParams('logits=1,2;3,4;5,6'));
    expect(settings.target).toEqual([0, 1, 0]);
    expect(settings.weight).toEqual([1, 1]);
  });
});

test('rows and classes come and go', () => {
  const larger = resize(ARTICLE, 4, 4);
  expect(larger.logits.map((row) => row.length)).toEqual([4, 4, 4, 4]);
  expect(larger.logits[3]).toEqual([0, 0, 0, 0]);
  expect(resize(larger, 3, 3)).toEqual(ARTICLE);
  expect(resize({ ...ARTICLE, ignoreIndex: 2 }, 3, 2)).toMatchObject({ target: [0, 1, 1], ignoreIndex: null });
});
