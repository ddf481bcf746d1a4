/**
 * Up to how many elements the kernels on the host are faster than TensorFlow's own operations, the copy that they read
 * included. Measured with TensorFlow 2.21 by `bench/routes.ts`, and to be measured again for another one.
 */
export const routes = {
  /** Where the classes of a row are side by side. */
  contiguous: 2 ** 19,
  /** Where they are apart: what TensorFlow reduces and broadcasts along a middle dimension takes twice as long. */
  apart: 2 ** 21,
};
