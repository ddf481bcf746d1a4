import config from '../../jest.config.js';

/** What mutants are run against: every suite on cpu in Node, and what has a test of its own beside the suites. */
export default {
  ...config,
  rootDir: '../..',
  testMatch: process.env.SUITES
    ? ['<rootDir>/test/mutation/cpu.ts']
    : ['<rootDir>/test/mutation/cpu.ts', '<rootDir>/test/no-webassembly.test.ts', '<rootDir>/test/layers/auto.test.ts'],
  globalSetup: undefined,
};
