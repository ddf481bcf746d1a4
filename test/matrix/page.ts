import { backend } from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { type Outcome, runChecks } from './checks';

/** What the page or the worker has: a place that lacks it does not count as tested. */
export interface PageReport {
  readonly outcome?: Outcome;
  readonly error?: string;
  readonly isWorker: boolean;
  readonly isolated: boolean;
  readonly threaded?: boolean;
  readonly wasmForbidden: boolean;
}

/** Bundled for each place with the TensorFlow.js of its project; runs in pages and in workers, and reports by itself. */
async function report(): Promise<void> {
  const parameters = new URL(location.href).searchParams;
  const facts = {
    isWorker: typeof document === 'undefined',
    isolated: globalThis.crossOriginIsolated === true,
    wasmForbidden: isWasmForbidden(),
  };
  let result: PageReport;
  try {
    setWasmPaths('/');
    const outcome = await runChecks(parameters.get('backend')!, parameters.get('suites')?.split(','));
    result = { ...facts, outcome, threaded: isThreaded() };
  } catch (error) {
    result = { ...facts, error: (error as Error)?.stack ?? String(error) };
  }
  await fetch('/report', { method: 'POST', body: JSON.stringify(result) });
}

function isWasmForbidden(): boolean {
  try {
    return !new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    return true;
  }
}

function isThreaded(): boolean {
  const { wasm } = backend() as unknown as { wasm?: { HEAPU8: Uint8Array } };
  return typeof SharedArrayBuffer !== 'undefined' && wasm?.HEAPU8.buffer instanceof SharedArrayBuffer;
}

void report();
