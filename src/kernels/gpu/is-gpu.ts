/** Whether a backend is WebGL's, whatever the name that it is registered under. */
export function isWebGL(backend: object): boolean {
  return 'texData' in backend && 'compileAndRun' in backend;
}

/** Whether a backend is WebGPU's, whatever the name that it is registered under. */
export function isWebGPU(backend: object): boolean {
  return 'runWebGPUProgram' in backend;
}
