import { serveOnDawn } from '../support/dawn';

/** What the fuzz calls in Node, on Dawn. */
serveOnDawn(async () => (await import('./page')).api);
