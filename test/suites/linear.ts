import * as tf from '@tensorflow/tfjs';
import { crossEntropy, LinearCrossEntropyLoss, linearCrossEntropy, type Reduction } from 'tfjs-cross-entropy';
import linear from '../oracle/linear.json';
import { type Check, isHost } from '../support/check';
import type { Case as PlainCase } from '../support/golden';
import { assertClose, assertEqual, assertThrows, numbers, type Packed, unpack, withoutLeaks } from '../support/tensors';

/** A case of the oracle; `make_golden.py` documents the fields. */
type Case = PlainCase & { linearWeight: Packed; linearBias: Packed | null };

const cases = linear.cases as unknown as Case[];

/** PyTorch's numbers and errors, with the chunk sizes that there are. */
function oracle(backend: string): Check[] {
  return cases.map((test) => ({
    name: test.name,
    run: () => withoutLeaks(() => (test.expect.error ? throws(test) : agrees(test, backend))),
  }));
}

function call(test: Case, batchChunkSize?: number) {
  const { linearBias, ignoreIndex, labelSmoothing, reduction, weight, target } = test;
  const tensors = [test.input, test.linearWeight, ...(linearBias ? [linearBias] : [])].map((x) => unpack(x));
  const t = unpack(target!, target!.kind === 'index' ? 'int32' : 'float32');
  const loss = (input: tf.Tensor, linearWeight: tf.Tensor, linearBias?: tf.Tensor) =>
    linearCrossEntropy(input, linearWeight, t, {
      linearBias,
      weight: weight && numbers(weight as (number | string)[]),
      ignoreIndex,
      labelSmoothing,
      reduction: reduction as Reduction,
      batchChunkSize,
    });
  return { tensors, loss };
}

async function agrees(test: Case, backend: string): Promise<void> {
  const base = isHost(backend) ? 1e-6 : 1e-5;
  const { upstream, expect } = test;
  const dy = upstream ? unpack(upstream) : undefined;
  for (const batchChunkSize of [undefined, 1, 2, 4]) {
    const { tensors, loss } = call(test, batchChunkSize);
    const [gradInput, gradLinearWeight, gradLinearBias] = tf.grads(loss)(tensors, dy);
    const got = { value: loss(...(tensors as [tf.Tensor, tf.Tensor])), gradInput, gradLinearWeight, gradLinearBias };
    for (const [name, result] of Object.entries(got)) {
      if (!result) continue;
      const want = (expect as unknown as Record<string, Packed>)[name];
      assertEqual(result.shape, want.shape, `shape of ${name}`);
      const wanted = numbers(want.data);
      const largest = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs));
      const tolerance = base * largest + 4 * expect.f32Err[name].maxAbs;
      assertClose(await result.data(), wanted, tolerance, `${name} in chunks of ${batchChunkSize}`);
    }
  }
}

/** PyTorch's message with our names. */
const ours = (message: string) => message.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

function throws(test: Case): void {
  const { tensors, loss } = call(test);
  const before = tf.memory().numTensors;
  assertThrows(() => loss(...(tensors as [tf.Tensor, tf.Tensor])), ours(test.expect.error!));
  assertEqual(tf.memory().numTensors, before, 'tensors after the error');
}

export function linearSuite(backend: string): Check[] {
  return [...oracle(backend)];
}
void [crossEntropy, LinearCrossEntropyLoss];
