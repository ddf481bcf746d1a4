import '@tensorflow/tfjs-backend-wasm';
import { serveOnDawn } from '../support/dawn';

/** A page's place in Node. */
serveOnDawn(async () => (await import('../support/api')).api);
