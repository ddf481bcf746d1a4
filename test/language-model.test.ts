import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { LanguageModel } from '../examples/language-model/model';
import { startBackend } from '../examples/mnist/backend';
import { seededRandom } from '../examples/mnist/random';

/** `examples/language-model`: its model where gradients can be found by hand, and the command as it is called. */
const [VOCABULARY, WIDTH] = [11, 8];
const TOKENS = [
  [0, 3, 7, 3, 9],
  [1, 3, 4, 9, 9],
];

const BACKENDS = (['cpu', 'wasm', 'tensorflow'] as const).filter((name) => name !== 'tensorflow' || process.env.NATIVE);

function smallModel(): LanguageModel {
  const sizes = { vocabulary: VOCABULARY, context: 5, width: WIDTH, heads: 2 };
  return new LanguageModel(sizes, new Float32Array(VOCABULARY).fill(1 / VOCABULARY), seededRandom(1));
}

describe.each(BACKENDS)('on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  test("the embedding's gradient is the loss's slope: tokens looked up, predicted, both and neither", async () => {
    const model = smallModel();
    const tokens = tf.tensor2d(TOKENS, undefined, 'int32');
    // As large as what normalizes them can take steps along.
    tf.tidy(() => model.embedding.assign(tf.randomNormal([VOCABULARY, WIDTH], 0, 1, 'float32', 1)));
    const { value, grads } = tf.variableGrads(() => model.loss(tokens));
    const gradient = grads[model.embedding.name].dataSync();
    const values = model.embedding.dataSync().slice();
    const lossWith = (i: number, change: number) => {
      const changed = values.slice();
      changed[i] += change;
      return tf.tidy(() => {
        model.embedding.assign(tf.tensor2d(changed, [VOCABULARY, WIDTH]));
        return model.loss(tokens).dataSync()[0];
      });
    };
    const step = 1 / 64;
    for (let i = 0; i < values.length; i++) {
      const slope = (lossWith(i, step) - lossWith(i, -step)) / (2 * step);
      expect(Math.abs(gradient[i] - slope)).toBeLessThan(3e-4);
    }
    model.dispose();
    tf.dispose([tokens, value, grads]);
    expect(tf.memory().numTensors).toBe(0);
  });

  test('no token sees a later one', () => {
    const model = smallModel();
    const known = (last: number) =>
      tf.tidy(() => model.forward(tf.tensor2d([[0, 3, 7, 3, last]], undefined, 'int32')).dataSync());
    const [one, other] = [known(9), known(2)];
    expect(one.slice(0, -WIDTH)).toEqual(other.slice(0, -WIDTH));
    expect(one.slice(-WIDTH)).not.toEqual(other.slice(-WIDTH));
    model.dispose();
  });
});

describe('the command', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'language-model-'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs it to its end. `onLine` is told each line, and the process. */
  async function run(args: string[], onLine = (_line: string, _interrupt: () => void) => {}) {
    const picture = join(folder, 'curve.svg');
    const command = ['--import', 'tsx', 'examples/language-model/main.ts', '--quick', '--backend', 'wasm'];
    const child = spawn(process.execPath, [...command, '--out', picture, ...args]);
    let [out, err, told] = ['', '', 0];
    child.stdout.on('data', (data) => {
      out += data;
      const lines = out.split('\n').slice(0, -1);
      for (const line of lines.slice(told)) onLine(line, () => child.kill('SIGINT'));
      told = lines.length;
    });
    child.stderr.on('data', (data) => {
      err += data;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    return { code, out, err, picture };
  }

  const number = (text: string) => Number(text.replaceAll(',', ''));
  const heldOut = (out: string) =>
    [...out.matchAll(/^step +\d+:.* held-out (\d+)$/gm)].map(([, value]) => number(value));

  test('learns, and reports what', async () => {
    const { code, out, err, picture } = await run([]);
    expect([code, err]).toEqual([0, '']);
    const perplexities = heldOut(out);
    const last = number(out.match(/^held-out perplexity ([\d,]+) after 30 steps/m)![1]);
    expect(perplexities[0]).toBeGreaterThan(1000);
    expect(last).toBeLessThan(0.97 * perplexities[0]);
    expect(out).toMatch(/^The whale.{80,} \.\.\.$/m);
    expect(readFileSync(picture, 'utf8')).toContain(`perplexity ${last.toLocaleString('en')}`);
    const peaks =
      /^A step.*at most (\d+) MB.* would be (\d+) MB$\nAn evaluation: at most (\d+) MB.* would be (\d+) MB$/m
        .exec(out)!
        .slice(1)
        .map(Number);
    expect(peaks).toEqual([expect.any(Number), 50, expect.any(Number), 25]);
    expect(peaks[0]).toBeLessThan(25);
    expect(peaks[2]).toBeLessThan(15);
  }, 180_000);

  test('ends at a Ctrl-C with what is learned so far', async () => {
    const { code, out, err, picture } = await run(['--steps', '100000'], (line, interrupt) => {
      if (/^step +0:/.test(line)) setTimeout(interrupt, 1000);
    });
    expect([code, err]).toEqual([130, '']);
    const [, steps] = out.match(/^Interrupted after (\d+) steps$/m)!;
    expect(out).toMatch(
      new RegExp(`^held-out perplexity [\\d,]+ after ${Number(steps).toLocaleString('en')} steps`, 'm'),
    );
    expect(readFileSync(picture, 'utf8')).toContain('<svg');
  }, 180_000);

  test.each([
    [['--width', '30'], 'a multiple of 4'],
    [['--prompt', ''], 'a text'],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, err } = await run(args);
    expect(code).toBe(1);
    expect(err).toContain(message);
  });
});
