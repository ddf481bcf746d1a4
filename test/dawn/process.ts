import '@tensorflow/tfjs-backend-wasm';
import { provideWebGPU } from '../support/dawn';
import { serveParent } from '../support/serve-parent';

/** A page's place in Node. */
const started = provideWebGPU().then(() => import('@tensorflow/tfjs-backend-webgpu'));

// As a page, which only notes them: in debug mode TensorFlow.js reads what is gone by then.
process.on('unhandledRejection', () => {});

serveParent(
  new Proxy(
    {},
    {
      get:
        (_, method: string) =>
        async (...args: unknown[]) => {
          await started;
          const { api } = await import('../support/api');
          return (api as unknown as Record<string, (...args: unknown[]) => unknown>)[method](...args);
        },
    },
  ),
);
