/** In a process that `startProcess` has started: does what the parent asks of an object. */
export function serveParent(methods: object): void {
  process.on('message', async ([id, method, args]: [number, string, unknown[]]) => {
    const run = async () => (methods as Record<string, (...args: unknown[]) => unknown>)[method](...args);
    const reply = await run().then(
      (value) => ({ id, value }),
      (error: Error) => ({ id, error: error.message }),
    );
    process.send!(reply);
  });
  process.on('disconnect', () => process.exit());
}
