import * as tf from '@tensorflow/tfjs';
import type { CrossEntropyLoss } from 'tfjs-cross-entropy';
import type { Digits } from './data';
import type { DigitClassifier } from './model';
import { toTensors } from './tensors';

export interface Evaluation {
  readonly loss: number;
  /** The share of right predictions, 0 to 1. */
  readonly accuracy: number;
  readonly predicted: Int32Array;
}

/** How `model` does on `digits`, from which it learns nothing. */
export async function evaluate(
  model: DigitClassifier,
  digits: Digits,
  criterion: CrossEntropyLoss,
): Promise<Evaluation> {
  const results = tf.tidy(() => {
    const { images, labels } = toTensors(digits);
    const logits = model.forward(images);
    return { loss: criterion.forward(logits, labels), predicted: tf.argMax(logits, 1) };
  });
  const [[loss], predicted] = await Promise.all([results.loss.data(), results.predicted.data<'int32'>()]);
  tf.dispose([results.loss, results.predicted]);
  const right = predicted.filter((digit, i) => digit === digits.labels[i]).length;
  return { loss, accuracy: right / predicted.length, predicted };
}
