/** The backends that TensorFlow.js has in browsers. */
export const BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu'] as const;
export type Backend = (typeof BACKENDS)[number];

/** Why a backend is not to be had; `messages/` say it in words. */
export type Absence = 'noWebAssembly' | 'noOffscreenCanvas' | 'noWebGL2' | 'noWebGPU' | 'noAdapter';

/** Why a backend is not to be had in this browser, or `null`. Asked in a worker or a page, without loading TensorFlow.js. */
export async function whyAbsent(backend: Backend): Promise<Absence | null> {
  if (backend === 'wasm' && typeof WebAssembly === 'undefined') return 'noWebAssembly';
  if (backend === 'webgl') {
    if (typeof OffscreenCanvas === 'undefined') return 'noOffscreenCanvas';
    if (!webglContext()) return 'noWebGL2';
  }
  if (backend === 'webgpu') {
    const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<object | null> } };
    if (!gpu) return 'noWebGPU';
    if (!(await gpu.requestAdapter())) return 'noAdapter';
  }
  return null;
}

export async function availableBackends(): Promise<Backend[]> {
  const reasons = await Promise.all(BACKENDS.map(whyAbsent));
  return BACKENDS.filter((_, i) => reasons[i] === null);
}

/** What computes for a backend, as far as the browser says. */
export async function deviceOf(backend: Backend): Promise<string> {
  if (backend === 'webgl') {
    const gl = webglContext();
    const names = gl?.getExtension('WEBGL_debug_renderer_info');
    return gl ? String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) : '';
  }
  if (backend === 'webgpu') {
    type Adapter = { info?: { vendor: string; architecture: string; description: string } };
    const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<Adapter | null> } };
    const info = (await gpu?.requestAdapter())?.info;
    return info ? [info.vendor, info.architecture, info.description].filter(Boolean).join(' ') : '';
  }
  return '';
}

function webglContext(): WebGL2RenderingContext | null {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  // A page may have few contexts at a time: this one goes when the garbage collector comes, if it is not lost before.
  return gl;
}
