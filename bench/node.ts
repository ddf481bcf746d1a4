import { bundle, startChild } from './child';
import { type Register, type Runtime, seat } from './place';
import { makeProblem } from './problem';
import { startPyTorch } from './pytorch';

export const NODE_BACKENDS = ['cpu', 'wasm', 'tensorflow'];

/** A process for each backend (`node/cpu` ...), and for those who need none of them. */
export async function openNode(ids: readonly string[], { versions, absent }: Register): Promise<Runtime> {
  const entrances: Record<string, Runtime['entrances'][string]> = {};
  const closes: (() => void)[] = [];
  const script = bundle('node-place');
  for (const id of ids.includes('node/cpu') ? [...ids, 'node/js-pytorch'] : ids) {
    const { place, close } = startChild(script);
    closes.push(close);
    try {
      await place.open(id.split('/')[1]);
      entrances[id] = (shape) => seat(ids.includes(id) ? id : 'node', place, shape);
    } catch (error) {
      absent.push(`${id}: ${(error as Error).message}`);
    }
  }
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
