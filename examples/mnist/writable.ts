import { existsSync } from 'node:fs';
import { access, constants, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Throws if no file can be written to `path`. */
export async function checkWritable(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (existsSync(path)) await (await open(path, 'r+')).close();
  else await access(dirname(path), constants.W_OK);
}
