/**
 * TensorFlow's cross-entropy ops for graph models of tfjs-converter, which has none of its own.
 *
 * @module tfjs-cross-entropy/graph
 */
import {
  add,
  broadcast_util,
  cast,
  maximum,
  scalar,
  sub,
  type Tensor,
  tidy,
  util,
  valueAndGrad,
  zeros,
} from '@tensorflow/tfjs-core';
import type { AnyTensor } from '../contract/any-tensor';
import { crossEntropy } from '../functional/cross-entropy';
import { expected } from '../functional/errors';
import { softmax } from '../functional/softmax';

/** What is used of `tf`, i.e. of whichever copy of tfjs-converter loads the models. */
export interface Converter {
  /**
   * Makes the op known to models that are loaded afterwards.
   *
   * @param name As in the model's file.
   * @param opFunc Its outputs, of the node's inputs.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the tensors of that copy, which cannot be named from here
  registerOp(name: string, opFunc: (node: { inputs: AnyTensor[] }) => any): void;
}

/** What both ops give: a loss for each row, and its gradient by the logits. */
type Outputs = [loss: Tensor, backprop: Tensor];

/**
 * TensorFlow ignores no label, so the one that we ignore must not occur: labels below `LOWEST` become that, which is no
 * class either. Both are whole numbers to GPUs too, where a label may be held as a float.
 */
const IGNORED = -(2 ** 31);
const LOWEST = -(2 ** 15);

/**
 * Registers `SparseSoftmaxCrossEntropyWithLogits` and `SoftmaxCrossEntropyWithLogits` for graph models that are loaded
 * afterwards. Both give a loss for each row, in nats, and its gradient by the logits; gradients go through both.
 *
 * ```text
 * sparse, labels t [N]:    loss = -log p[t],              backprop = p - onehot(t)
 * dense, labels q [N, C]:  loss = sum_c q[c] * -log p[c], backprop = p - q
 * ```
 *
 * with `p = softmax(logits)`, logits `[N, C]`. As in TensorFlow, dense labels and logits are broadcast to each other, and a label
 * that is no class is an error, or NaN in both outputs on GPU backends.
 *
 * @param tf TensorFlow.js, or its converter: whatever has `registerOp`.
 * @throws TypeError for what has no `registerOp`; a model's run throws where its logits are no matrix, where labels hold
 *     no numbers or dense ones cannot be broadcast to the logits, and what `crossEntropy` throws.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { registerGraphOps } from 'tfjs-cross-entropy/graph';
 *
 * registerGraphOps(tf);
 * const node = [
 *   { name: 'logits', op: 'Placeholder' },
 *   { name: 'labels', op: 'Placeholder' },
 *   { name: 'loss', op: 'SparseSoftmaxCrossEntropyWithLogits', input: ['logits', 'labels'] },
 * ];
 * const saved = { modelTopology: { node, versions: {} }, weightSpecs: [], weightData: new ArrayBuffer(0) };
 * const model = await tf.loadGraphModel(tf.io.fromMemory(saved)); // most often from a URL
 * const inputs = { logits: tf.tensor2d([[2, 1, 0]]), labels: tf.tensor1d([0], 'int32') };
 * const [loss, backprop] = model.execute(inputs, ['loss:0', 'loss:1']) as tf.Tensor[];
 * loss.print(); // [0.4076]
 * backprop.print(); // [[-0.3348, 0.2447, 0.09]]
 * ```
 *
 * @see `crossEntropy` of `tfjs-cross-entropy` where a model is made here.
 * @see [SparseSoftmaxCrossEntropyWithLogits](https://www.tensorflow.org/api_docs/python/tf/raw_ops/SparseSoftmaxCrossEntropyWithLogits)
 *     and [SoftmaxCrossEntropyWithLogits](https://www.tensorflow.org/api_docs/python/tf/raw_ops/SoftmaxCrossEntropyWithLogits),
 *     whose semantics these are.
 */
export function registerGraphOps(tf: Converter): void {
  if (typeof tf?.registerOp !== 'function') throw expected('`tf`', 'TensorFlow.js with its `registerOp`', tf);
  const register = (name: string, outputs: (logits: Tensor, labels: Tensor) => Outputs) =>
    tf.registerOp(name, ({ inputs }) => {
      const [logits, labels] = inputs as Tensor[];
      for (const { dtype } of [logits, labels]) {
        if (dtype !== 'string' && dtype !== 'complex64') continue;
        throw new TypeError(`Expected the inputs of ${name} to hold real numbers, got ${dtype}.`);
      }
      return tidy(() => outputs(logits, labels));
    });
  register('SparseSoftmaxCrossEntropyWithLogits', sparse);
  register('SoftmaxCrossEntropyWithLogits', dense);
}

function sparse(logits: Tensor, labels: Tensor): Outputs {
  checkMatrix(logits.shape);
  const target = maximum(cast(labels, 'int32'), scalar(LOWEST, 'int32'));
  const loss = (x: Tensor) => crossEntropy(x, target, { reduction: 'none', ignoreIndex: IGNORED });
  const { value, grad } = valueAndGrad(loss)(logits);
  return [value, grad];
}

function dense(logits: Tensor, labels: Tensor): Outputs {
  const shape = broadcast_util.assertAndGetBroadcastShape(logits.shape, labels.shape);
  checkMatrix(shape);
  const whole = (x: Tensor) => (util.arraysEqual(x.shape, shape) ? x : add(x, zeros(shape)));
  const [input, target] = [whole(logits), whole(labels)];
  // Not the gradient of the loss, which is another where labels do not sum to 1: TensorFlow's op is defined so.
  return [crossEntropy(input, target, { reduction: 'none' }), sub(softmax(input, 1), target)];
}

function checkMatrix(shape: number[]): void {
  if (shape.length !== 2) throw new Error(`logits must be 2-D, [N, C], but got shape [${shape.join(', ')}]`);
}
