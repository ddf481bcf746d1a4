/**
 * Which kernels serve which sizes: measured (`npm run bench`), and to be measured again for another TensorFlow.
 * A few dozen microseconds go into each operation of TensorFlow's, copying its data to JavaScript costs by the element.
 */
export const routes = {
  /** Up to this many elements a loss or softmax is computed in JavaScript. */
  hostElements: 1 << 15,
};
