import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A Python process that answers a line of JSON with another one. */
export interface Python {
  /** The line that it begins with. */
  readonly hello: { readonly version: string };
  // biome-ignore lint/suspicious/noExplicitAny: what a script answers is its own
  ask(question: object): Promise<any>;
  close(): void;
}

/** Starts a script of PyTorch's; `null` where that Python has none. */
export async function startPython(python: string, script: string): Promise<Python | null> {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.on('error', () => {}); // no such Python: the output ends
  child.stdin.on('error', () => {});
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const reply = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('PyTorch has gone');
    return JSON.parse(value);
  };
  const hello = await reply().catch(() => null);
  if (!hello) return null;
  return {
    hello,
    ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      return reply();
    },
    close: () => child.stdin.end(),
  };
}
