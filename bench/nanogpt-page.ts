import * as tf from '@tensorflow/tfjs';
import { selectBackend } from 'nanogpt-backend';
import { calculateLoss } from 'nanogpt-loss';
import { NANOGPT } from './contender';
import { createPlace } from './place';
import { solve } from './problem';
import { problemTensors, rows } from './tfjs';
import { tfjsContender } from './tfjs-contender';

/** A page of its own: its backends take the places of TensorFlow.js's. */
const place = createPlace(async (backend) => {
  await selectBackend(backend);
  return (problem) => {
    const tensors = problemTensors(problem);
    const target = tf.reshape(tensors.target, [-1]);
    const loss = (x: tf.Tensor) => calculateLoss(rows(x), target) as tf.Scalar;
    const dispose = () => tf.dispose([tensors, target]);
    return [tfjsContender({ name: NANOGPT, loss }, tensors.logits, solve(problem), dispose)];
  };
});

Object.assign(globalThis, { place });
