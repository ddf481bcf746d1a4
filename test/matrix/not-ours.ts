/** Checks that fail in older versions of TensorFlow.js for what those lack or do wrong themselves, whoever asks. */
const NOT_OURS: { versions: RegExp; backends: RegExp; failure: RegExp }[] = [
  // tf.metrics of 4.0 and 4.10 has no r2Score.
  { versions: /^4\.(0|10)\./, backends: /./, failure: /^softmax-ended models: metrics that compare.*got undefined/ },
  // Layers' own binaryCrossentropy wants log1p, which wasm has not had from the beginning.
  { versions: /^4\.0\./, backends: /^wasm$/, failure: /Kernel 'Log1p' not registered for backend 'wasm'$/ },
  // Stats share a texture from 4.1 on (`canShareTextures` of kernels/webgl): before, each is a program of its own.
  { versions: /^4\.0\./, backends: /^webgl$/, failure: /programs of the loss with : expected 4, got 6$/ },
  // webgl's concat of 33 tensors, here of as many chunks: 16, 16, and one alone, for which its shader does not compile.
  { versions: /^4\.0\./, backends: /^webgl$/, failure: /^linear: lce.index.N33.*Failed to compile fragment shader/ },
];

export const notOurs = (version: string, backend: string, failure: string): boolean =>
  NOT_OURS.some((one) => one.versions.test(version) && one.backends.test(backend) && one.failure.test(failure));
