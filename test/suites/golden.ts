import { memory } from '@tensorflow/tfjs';
import { type Check, isHost } from '../support/check';
import { type Case, call, cases, evaluate, expected, tensorsOf } from '../support/golden';
import { assertClose, assertEqual, assertThrows, numbers, withoutLeaks } from '../support/tensors';

/** PyTorch's own numbers and errors, a check a case. */
export function goldenSuite(backend: string): Check[] {
  return cases
    .filter(({ tags }) => !tags.includes('quirk'))
    .map((test) => ({
      name: test.name,
      run: () => (test.expect.error ? throws(test, backend) : agrees(test, backend)),
    }));
}

async function agrees(test: Case, backend: string): Promise<void> {
  const base = isHost(backend) ? 1e-6 : 1e-5;
  await withoutLeaks(async () => {
    for (const [name, result] of Object.entries(evaluate(test))) {
      const want = expected(test, name);
      assertEqual(result.shape, want.shape, `shape of ${name}`);
      const wanted = numbers(want.data);
      const largest = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs));
      const tolerance = base * largest + 4 * test.expect.f32Err[name].maxAbs;
      assertClose(await result.data(), wanted, tolerance, name);
    }
  });
}

async function throws(test: Case, backend: string): Promise<void> {
  await withoutLeaks(async () => {
    const { input, target } = tensorsOf(test);
    const outOfBounds = test.expect.error!.startsWith('Target');
    if (outOfBounds && !isHost(backend)) {
      const loss = await call(test, input, target).data();
      if (!loss.some(Number.isNaN)) throw new Error(`expected NaN, got ${loss}`);
      return;
    }
    const before = memory().numTensors;
    assertThrows(() => call(test, input, target), ours(test.expect.error!));
    const weights = test.weight && !Array.isArray(test.weight) ? 1 : 0; // made by the test itself
    assertEqual(memory().numTensors - before, weights, 'tensors left by the error');
  });
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
