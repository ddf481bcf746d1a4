/**
 * TensorFlow's cross-entropy ops for graph models of tfjs-converter, which has none of its own.
 *
 * @packageDocumentation
 */
import { oneHot, sub, type Tensor } from '@tensorflow/tfjs-core';
import { crossEntropy } from '../functional/cross-entropy';
import { softmax } from '../functional/softmax';

/** What is used of `tf`, i.e. of whichever copy of tfjs-converter loads the models. */
interface Converter {
  registerOp(name: string, opFunc: (node: { inputs: Tensor[] }) => Tensor[]): void;
}

/** TensorFlow ignores no label; this is none that anybody uses. */
const NO_INDEX = -(2 ** 31);

/**
 * Registers `SparseSoftmaxCrossEntropyWithLogits` and `SoftmaxCrossEntropyWithLogits`, with both outputs, the loss of
 * each row and its gradient by the logits, for graph models that are loaded afterwards. Gradients go through them.
 *
 * @example
 * ```ts
 * registerGraphOps(tf);
 * const model = await tf.loadGraphModel('https://example.com/model.json');
 * ```
 */
export function registerGraphOps(tf: Converter): void {
  tf.registerOp('SparseSoftmaxCrossEntropyWithLogits', ({ inputs: [logits, labels] }) => {
    const indices = labels.toInt();
    const loss = crossEntropy(logits, indices, { reduction: 'none', ignoreIndex: NO_INDEX });
    return [loss, sub(softmax(logits, 1), oneHot(indices, logits.shape[1]!))];
  });
  tf.registerOp('SoftmaxCrossEntropyWithLogits', ({ inputs: [logits, labels] }) => {
    const loss = crossEntropy(logits, labels, { reduction: 'none' });
    return [loss, sub(softmax(logits, 1), labels)];
  });
}
