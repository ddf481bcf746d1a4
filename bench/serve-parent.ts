import type { Place } from './place';

/** In a child process: does what the parent asks of the place. */
export function serveParent(place: Place): void {
  process.on('message', async ([method, args]: [keyof Place, unknown[]]) => {
    const run = place[method] as (...args: unknown[]) => Promise<unknown>;
    const reply = await run(...args).then(
      (value) => ({ value }),
      (error: Error) => ({ error: error.message }),
    );
    process.send!(reply);
  });
}
