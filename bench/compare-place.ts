import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { type Tensor, tensor } from '@tensorflow/tfjs';
import { serveParent } from '../test/support/serve-parent';
import { OURS } from './contender';
import { createPlace } from './place';
import { solve } from './problem';
import { startBackend } from './start-backend';
import { tfjsContender } from './tfjs-contender';

/** One build alone, that of the environment's DIST: kernels are registered once a process. */
serveParent(
  createPlace(async (backend) => {
    await startBackend(backend);
    const require = createRequire(resolve('package.json'));
    const { crossEntropy } = require(resolve(process.env.DIST!, 'index.cjs'));
    return (problem) => {
      const { shape, logits, targets } = problem;
      const x = tensor(logits, [...shape]);
      const target = tensor(targets, [shape[0], ...shape.slice(2)], 'int32');
      const loss = (x: Tensor) => crossEntropy(x, target);
      const dispose = () => {
        x.dispose();
        target.dispose();
      };
      return [tfjsContender({ name: OURS, loss, modes: ['gradient'] }, x, solve(problem), dispose)];
    };
  }),
);
