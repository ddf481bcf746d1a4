/** Checks that fail in older versions of TensorFlow.js for what those lack or do wrong themselves, whoever asks. */
const NOT_OURS: { versions: RegExp; backends: RegExp; failure: RegExp }[] = [
  // tf.metrics of 4.0 and 4.10 has no r2Score.
  { versions: /^4\.(0|10)\./, backends: /./, failure: /^softmax-ended models: metrics that compare.*got undefined/ },
  // Layers' own binaryCrossentropy wants log1p, which wasm has not had from the beginning.
  { versions: /^4\.0\./, backends: /^wasm$/, failure: /Kernel 'Log1p' not registered for backend 'wasm'$/ },
];

export const notOurs = (version: string, backend: string, failure: string): boolean =>
  NOT_OURS.some((one) => one.versions.test(version) && one.backends.test(backend) && one.failure.test(failure));
