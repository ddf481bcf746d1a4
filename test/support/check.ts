/** One check of a suite. Suites know no test framework, so that the same ones run in Node and in a page. */
export interface Check {
  readonly name: string;
  readonly run: (context: Context) => void | Promise<void>;
}

/** Where a check runs. */
export interface Context {
  /** The name of the active backend. */
  readonly backend: string;
}

/** Backends whose data is on the host: class indices can be checked there, and arithmetic follows IEEE 754. */
export const isHost = (backend: string): boolean => ['cpu', 'wasm', 'tensorflow'].includes(backend);

/** Those that find labels which are no class: unknown ones compute with them, whose losses are NaN. */
export const checksLabels = (backend: string): boolean => isHost(backend) || ['webgl', 'webgpu'].includes(backend);
