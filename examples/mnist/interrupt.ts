/** npm and tsx pass on the Ctrl-C that the terminal has sent to all of them: what arrives this soon (ms) is the same one. */
const ECHO = 300;

/** Gives the signal to stop at the first Ctrl-C, and ends the process at the second. */
export function stopOnInterrupt(): AbortSignal {
  const stop = new AbortController();
  let first = 0;
  process.on('SIGINT', () => {
    if (!stop.signal.aborted) {
      first = performance.now();
      stop.abort();
    } else if (performance.now() - first > ECHO) {
      process.exit(130);
    }
  });
  return stop.signal;
}
