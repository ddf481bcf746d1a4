import * as tf from '@tensorflow/tfjs';
import type { CrossEntropyLoss } from 'tfjs-cross-entropy';
import { type Digits, toTensors } from './data';
import type { DigitClassifier } from './model';

export interface Evaluation {
  readonly loss: number;
  /** The share of right predictions, 0 to 1. */
  readonly accuracy: number;
  readonly predicted: Int32Array;
}

/** How `model` does on `digits`, from which it learns nothing. */
export function evaluate(model: DigitClassifier, digits: Digits, criterion: CrossEntropyLoss): Evaluation {
  return tf.tidy(() => {
    const { images, labels } = toTensors(digits);
    const logits = model.forward(images);
    const loss = criterion.forward(logits, labels).dataSync()[0];
    const predicted = tf.argMax(logits, 1).dataSync<'int32'>();
    const right = predicted.filter((digit, i) => digit === digits.labels[i]).length;
    return { loss, accuracy: right / predicted.length, predicted };
  });
}
