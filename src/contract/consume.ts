import type { Tensor } from '@tensorflow/tfjs-core';

/** `f(x)`, with `x` freed as soon as it is there, unless it is `x` itself: a tidy keeps everything until its end. */
export function consume(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const y = f(x);
  if (y !== x) x.dispose();
  return y;
}
