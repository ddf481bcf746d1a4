import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPython } from '../test/support/python';
import { MODES, PYTORCH, type Seated } from './contender';
import { faultOf, type Problem, solve } from './problem';

/** A Python process that times PyTorch on one thread, in turns with the others. */
export interface PyTorch {
  readonly version: string;
  contender(problem: Problem): Promise<Seated>;
  close(): void;
}

/** Starts it; `null` where that Python has no PyTorch. */
export async function startPyTorch(python: string): Promise<PyTorch | null> {
  const child = await startPython(python, fileURLToPath(new URL('pytorch.py', import.meta.url)));
  if (!child) return null;
  const ask = (command: string, args: object) => child.ask([command, args]);

  const folder = mkdtempSync(join(tmpdir(), 'cross-entropy-'));
  return {
    version: child.hello.version,
    async contender(problem) {
      const { shape, logits, targets } = problem;
      writeFileSync(join(folder, 'logits.f32'), logits);
      writeFileSync(join(folder, 'targets.i32'), targets);
      await ask('load', { shape, folder });
      return {
        backend: 'node',
        name: PYTORCH,
        modes: MODES,
        async check() {
          const { loss } = await ask('answer', { folder });
          const { buffer, byteOffset, length } = readFileSync(join(folder, 'gradient.f32'));
          const gradient = new Float32Array(buffer.slice(byteOffset, byteOffset + length));
          return faultOf({ loss, gradient }, solve(problem));
        },
        time: async (mode, steps) => (await ask('run', { mode, steps })).ms,
      };
    },
    close() {
      child.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
