import { loadDawn } from '../scripts/setup/dawn.mjs';
import { bundle, startChild } from './child';
import { JAX, JS_PYTORCH } from './contender';
import { type Register, type Runtime, seat } from './place';
import { makeProblem } from './problem';
import { startPyTorch } from './pytorch';

export const NODE_BACKENDS = ['cpu', 'wasm', 'tensorflow', 'webgpu'];

/** Those who need no backend of TensorFlow.js, and beside which ones they sit. */
const PEERS = { [JS_PYTORCH]: ['node/cpu'], [JAX]: ['node/cpu', 'node/wasm'] };

/** A process for each backend (`node/cpu` ...), and for each of those who need none of them. */
export async function openNode(ids: readonly string[], { versions, absent }: Register): Promise<Runtime> {
  const entrances: Record<string, Runtime['entrances'][string]> = {};
  const closes: (() => void)[] = [];
  const script = bundle('node-place');
  const dawn = ids.includes('node/webgpu') ? await loadDawn() : undefined;
  const open = async (id: string, peer?: string) => {
    const name = peer ? `${peer} beside ${id}` : id;
    const { place, close } = startChild(script, { ...process.env, ...(id === 'node/webgpu' ? dawn?.env : {}) });
    closes.push(close);
    try {
      await place.open(id.split('/')[1], peer);
      entrances[name] = (shape) => seat(id, place, shape);
    } catch (error) {
      absent.push(`${name}: ${(error as Error).message}`);
    }
  };
  for (const id of ids) await open(id);
  for (const [peer, all] of Object.entries(PEERS)) {
    for (const id of all) if (ids.includes(id)) await open(id, peer);
  }
  if (dawn?.ok) versions.Dawn = `on ${dawn.adapter}`;
  const python = process.env.PYTHON ?? 'python3';
  const pytorch = await startPyTorch(python);
  if (pytorch) {
    versions.PyTorch = pytorch.version;
    entrances.PyTorch = async (shape) => [await pytorch.contender(makeProblem(shape))];
    closes.push(pytorch.close);
  } else {
    absent.push(`PyTorch (\`${python} -c "import torch"\` fails; the environment's PYTHON names another)`);
  }
  return {
    entrances,
    async close() {
      for (const close of closes) close();
    },
  };
}
