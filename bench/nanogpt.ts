import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NANOGPT } from './contender';

/**
 * It brings 75 MB that nothing else here needs, and is timed where somebody has installed it:
 * `npm install --no-save @genai-fi/nanogpt@1.3.0`.
 */
export const hasNanogpt = (): boolean => existsSync(join('node_modules', NANOGPT));

/** What its loss and its backends are imported as, for esbuild: its package exports neither. */
export function nanogptAlias(modules: string): Record<string, string> {
  const dist = resolve(modules, NANOGPT, 'dist');
  return { 'nanogpt-loss': join(dist, 'training/loss.js'), 'nanogpt-backend': join(dist, 'backend.js') };
}
