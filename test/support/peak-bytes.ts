import * as tf from '@tensorflow/tfjs';

/** The most bytes of data that tensors made by `f` take at a time; data that several of them share counts once. */
export function peakBytes(f: () => void): number {
  const engine = tf.engine() as unknown as Tracking;
  const { trackTensor, removeDataId } = engine;
  const held = new Map<object, number>();
  let [now, peak] = [0, 0];
  engine.trackTensor = function (x, backend) {
    if (!this.state.tensorInfo.has(x.dataId)) {
      held.set(x.dataId, 4 * x.size);
      now += 4 * x.size;
      peak = Math.max(peak, now);
    }
    trackTensor.call(this, x, backend);
  };
  engine.removeDataId = function (dataId, backend) {
    now -= held.get(dataId) ?? 0;
    removeDataId.call(this, dataId, backend);
  };
  try {
    f();
  } finally {
    Object.assign(engine, { trackTensor, removeDataId });
  }
  return peak;
}

interface Tracking {
  readonly state: { readonly tensorInfo: WeakMap<object, object> };
  trackTensor(x: tf.Tensor, backend: object): void;
  removeDataId(dataId: object, backend: object): void;
}
