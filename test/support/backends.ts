/** `describe`, or a loudly announced skip where the set-up could not provide what the tests need. */
export const describeWith = (need: 'NATIVE' | 'CHROMIUM_PATH' | 'DAWN' | 'FIREFOX_PATH') =>
  process.env[need] ? describe : describe.skip;
