import { memory } from '@tensorflow/tfjs';
import { type Check, checksLabels, isHost } from '../support/check';
import { type Deviation, describeDeviation, isWrong, worstOf } from '../support/deviation';
import { type Case, call, cases, evaluate, expected, tensorsOf } from '../support/golden';
import { assertEqual, assertThrows, numbers, withoutLeaks } from '../support/tensors';

/** PyTorch's own numbers and errors, a check a case. */
export function goldenSuite(backend: string): Check[] {
  return goldenCases.map((test) => ({
    name: test.name,
    run: async () => {
      for (const deviation of await examine(test, backend)) {
        if (isWrong(deviation)) throw new Error(describeDeviation(deviation));
      }
    },
  }));
}

/** The cases that TensorFlow.js's types and this package's deviations leave. */
export const goldenCases = cases.filter(({ tags }) => !tags.includes('quirk'));

/** What a backend is allowed, relative to a result's largest number. */
const precisionOf = (backend: string) => (isHost(backend) ? 1e-6 : 1e-5);

/**
 * Runs a case on the active backend and says how far each of its results is from PyTorch's. Throws where the case errs
 * otherwise than in PyTorch, where a shape is another, and where tensors leak.
 */
export async function examine(
  test: Case,
  backend: string,
  precisionFor: (result: string) => number = () => precisionOf(backend),
): Promise<Deviation[]> {
  const deviations: Deviation[] = [];
  await withoutLeaks(async () => {
    if (test.expect.error) return throws(test, backend);
    for (const [name, result] of Object.entries(evaluate(test))) {
      const want = expected(test, name);
      assertEqual(result.shape, want.shape, `shape of ${name}`);
      const wanted = numbers(want.data);
      const scale = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs));
      const allowed = precisionFor(name) * scale + 4 * test.expect.f32Err[name].maxAbs;
      deviations.push({ result: name, scale, allowed, ...worstOf(await result.data(), wanted) });
    }
  });
  return deviations;
}

async function throws(test: Case, backend: string): Promise<void> {
  const { input, target } = tensorsOf(test);
  if (test.expect.error!.startsWith('Target') && !checksLabels(backend)) {
    const loss = await call(test, input, target).data();
    if (!loss.some(Number.isNaN)) throw new Error(`expected NaN, got ${loss}`);
    return;
  }
  const before = memory().numTensors;
  assertThrows(() => call(test, input, target), ours(test.expect.error!));
  const weights = test.weight && !Array.isArray(test.weight) ? 1 : 0; // made by the test itself
  assertEqual(memory().numTensors - before, weights, 'tensors left by the error');
}

/** PyTorch's message with our names and types. */
function ours(message: string): string {
  return message
    .replace(/ignore_index/g, 'ignoreIndex')
    .replace(/label_smoothing/g, 'labelSmoothing')
    .replace(
      'expected target dtype to be Long or Byte, but got Float',
      'expected target dtype to be int32, but got float32',
    )
    .replace(
      'expected target dtype to be Long or Byte, but got Bool',
      'expected target dtype to be int32, but got bool',
    )
    .replace('class probabilities, got Long', 'class probabilities, got int32')
    .replace('class probabilities, got Bool', 'class probabilities, got bool')
    .replace(/"\w+" (not implemented for) 'Long'/, "$1 'int32'");
}
