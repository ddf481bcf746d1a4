import { TestEnvironment } from 'jest-environment-node';

/** Node's own typed arrays, of which are those that a native binding makes; jest's sandbox has others. */
export default class NativeEnvironment extends TestEnvironment {
  constructor(...args) {
    super(...args);
    Object.assign(this.global, { Float32Array, Int32Array });
  }
}
