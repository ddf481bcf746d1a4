import { classView } from '../../ops/class-view';
import type { Kernels, LossAttrs, LossInputs, LossOutputs } from '../../ops/contracts';
import { checkTargets } from '../check-targets';
import type { Host, Values } from './host';
import { elementAt } from './nll-loss';
import { forEachGroup, type GroupTile } from './row-groups';
import { lossShapes, RowRecords } from './row-records';
import { sumExponentials } from './softmax';

type CrossEntropyLoss<Backend> = Pick<Kernels<Backend>, 'CrossEntropyLoss' | 'CrossEntropyLossGrad'>;

export function crossEntropyLossKernels<Backend>(host: Host<Backend>): CrossEntropyLoss<Backend> {
  return {
    CrossEntropyLoss(inputs, attrs, backend) {
      const { input, target, weight } = inputs;
      const { ignoreIndex, labelSmoothing: e } = attrs;
      const view = classView(input.shape, attrs.dim);
      const isIndex = target.dtype === 'int32';
      const shapes = lossShapes(input, attrs, view.rows);
      return host(backend, [input, target, weight], shapes, (loops, [x, targets, weights], outputs) => {
        if (isIndex) checkTargets(targets, view.classes, ignoreIndex);
        const ignored = (row: number) => isIndex && targets[row] === ignoreIndex;
        const fillCoefficients = coefficients(inputs, attrs, weights);
        const records = new RowRecords(inputs, attrs, outputs);

        forEachGroup(view, loops, isIndex ? [x] : [x, targets], undefined, (group) => {
          const { max, sum, product, mass } = loops;
          sumExponentials(group, loops, ignored);
          product.fill(0, 0, group.rows);
          mass.fill(0, 0, group.rows);
          if (fillCoefficients) {
            group.read((tile) => {
              const g = fillCoefficients(tile, loops.scratch[1]);
              loops.dot(tile, tile.sources[0], g);
            });
          }
          for (let r = 0; r < group.rows; r++) {
            const row = group.first + r;
            if (ignored(row)) {
              records.add(row, 0, 1, 0, 0, 0);
              continue;
            }
            const logSum = Math.log(sum[r]);
            const spread = product[r] === 0 && mass[r] === 0 ? 0 : product[r] + mass[r] * logSum;
            if (isIndex) {
              const t = targets[row];
              const w = weights.length > 0 ? weights[t] : 1;
              const atLabel = (1 - e) * w;
              // -logProb is (max - x) + logSum, in this order: exact for a row whose loss is almost 0.
              const likelihood = atLabel === 0 ? 0 : atLabel * (max[r] - x[elementAt(row, t, view)] + logSum);
              records.add(row, max[r], sum[r], likelihood, spread, w);
            } else {
              records.add(row, max[r], sum[r], spread, 0, mass[r]);
            }
          }
        });
        records.reduce();
      }) as LossOutputs;
    },

    CrossEntropyLossGrad(inputs, attrs, backend) {
      const { input, target, weight, dy, record, divisor } = inputs;
      const { ignoreIndex, labelSmoothing: e, reduction } = attrs;
      const view = classView(input.shape, attrs.dim);
      const isIndex = target.dtype === 'int32';
      const tensors = [input, target, weight, dy, record, divisor];
      const [result] = host(backend, tensors, [input.shape], (loops, values, [dx]) => {
        const [x, targets, weights, upstream, records, [d]] = values;
        const fillCoefficients = coefficients(inputs, attrs, weights);
        const weightSum = weights.length > 0 ? weights.reduce((a, b) => a + b, 0) : view.classes;
        const spreadMass = isIndex && e > 0 ? (e / view.classes) * weightSum : 0;
        const labelShare = isIndex ? 1 - e : 1;

        forEachGroup(view, loops, isIndex ? [x] : [x, targets], dx, (group) => {
          const { max, scale, turn } = loops;
          for (let r = 0; r < group.rows; r++) {
            const row = group.first + r;
            const k = upstream[reduction === 'none' ? row : 0] / d;
            const live = !isIndex || targets[row] !== ignoreIndex;
            max[r] = live ? records[row * 4] : Number.POSITIVE_INFINITY;
            scale[r] = (k * (labelShare * records[row * 4 + 3] + spreadMass)) / records[row * 4 + 1];
            turn[r] = -k;
          }
          group.write((tile) => {
            loops.exponentials(tile, tile.sources[0], tile.out, fillCoefficients?.(tile, loops.scratch[1]));
            if (!isIndex) return;
            for (let r = 0; r < group.rows; r++) {
              const row = group.first + r;
              const c = targets[row] - tile.firstClass;
              if (targets[row] === ignoreIndex || c < 0 || c >= tile.classes) continue;
              tile.out[r * tile.rowStride + c * tile.classStride] += turn[r] * (1 - e) * records[row * 4 + 3];
            }
          });
        });
      });
      return result;
    },
  };
}

/**
 * Fills tiles with what multiplies `-logProb[c]` besides what is at a label: `(q[c] * (1 - e) + e / C) * w[c]` for
 * probabilities `q`, `e / C * w[c]` for labels. Nothing for labels without smoothing.
 */
function coefficients({ input, target }: LossInputs, { labelSmoothing: e, dim }: LossAttrs, weights: Values) {
  const isIndex = target.dtype === 'int32';
  if (isIndex && e === 0) return undefined;
  const share = e / input.shape[dim];
  return ({ rows, classes, rowStride, classStride, firstClass, sources: [, q] }: GroupTile, g: Values): Values => {
    for (let r = 0; r < rows; r++) {
      for (let c = 0, j = r * rowStride; c < classes; c++, j += classStride) {
        const w = weights.length > 0 ? weights[firstClass + c] : 1;
        g[j] = (q ? q[j] * (1 - e) + share : share) * w;
      }
    }
    return g;
  };
}
