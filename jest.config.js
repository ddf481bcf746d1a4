/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // Half of the time is a browser's, which waits for shaders to compile: one worker, jest's choice on two cores, would too.
  maxWorkers: 2,
  testTimeout: 60_000,
  setupFiles: ['<rootDir>/test/support/leak-check.ts'],
  globalSetup: '<rootDir>/test/global-setup.mjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/output/'], // where Stryker keeps a copy of all
  transform: {
    '\\.ts$': [
      'ts-jest',
      {
        tsconfig: {
          module: 'commonjs',
          moduleResolution: 'node10',
          target: 'ES2022',
          esModuleInterop: true,
          resolveJsonModule: true,
          isolatedModules: true,
          strict: true,
        },
        diagnostics: false,
      },
    ],
  },
  moduleNameMapper: {
    '^tfjs-cross-entropy$': '<rootDir>/src/index.ts',
    '^tfjs-cross-entropy/(.*)$': ['<rootDir>/src/$1/index.ts', '<rootDir>/src/$1.ts'],
  },
};
