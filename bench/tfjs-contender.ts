import * as tf from '@tensorflow/tfjs';
import { type Contender, MODES, type Mode } from './contender';
import { isGpu, meterPrograms } from './meter';
import { type Answer, faultOf } from './problem';

/** A loss on TensorFlow.js, on its active backend. */
export interface TfjsLoss {
  readonly name: string;
  readonly loss: (logits: tf.Tensor) => tf.Scalar;
  readonly modes?: readonly Mode[];
  /** What the mean is multiplied with. */
  readonly factor?: number;
}

export function tfjsContender(
  { name, loss, modes = MODES, factor = 1 }: TfjsLoss,
  logits: tf.Tensor,
  want: Answer,
  dispose: () => void,
): Contender {
  const withGradient = tf.valueAndGrad(loss);
  const step = (mode: Mode): { value: tf.Tensor; grad?: tf.Tensor } =>
    tf.tidy(() => (mode === 'forward' ? { value: loss(logits) } : withGradient(logits)));
  const onGpu = isGpu(tf.backend());
  return {
    name,
    modes,
    async check() {
      const { value, grad } = step('gradient');
      const [[loss], gradient] = [await value.data(), await grad!.data()];
      tf.dispose([value, grad!]);
      return faultOf({ loss: loss / factor, gradient: gradient.map((x) => x / factor) }, want);
    },
    async time(mode, steps) {
      const start = performance.now();
      for (let i = 0; i < steps; i++) {
        const { value, grad } = step(mode);
        // As a training loop does. A GPU works in order: the gradient is there when the loss has come.
        if (onGpu) await value.data();
        else value.dataSync();
        tf.dispose([value, ...(grad ? [grad] : [])]);
      }
      return (performance.now() - start) / steps;
    },
    async cost(mode) {
      const { numBytes } = tf.memory();
      const { peakBytes, newBytes, result } = await tf.profile(() => Object.values(step(mode)));
      tf.dispose(result);
      const gpu = onGpu ? meterPrograms(tf.backend(), () => tf.dispose(Object.values(step(mode)))) : {};
      // tf.profile looks at the end of each kernel; the results may be there only afterwards.
      return { peakBytes: Math.max(peakBytes - numBytes, newBytes), ...gpu };
    },
    dispose,
  };
}
