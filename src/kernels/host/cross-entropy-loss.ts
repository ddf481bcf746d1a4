import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import { type ClassView, classView } from '../../ops/class-view';
import type { Kernels, LossAttrs, LossInputs, LossOutputs } from '../../ops/contracts';
import { checkTargets } from '../check-targets';
import type { Host, Values } from './host';
import { elementAt } from './nll-loss';
import { forEachGroup, type GroupTile, type RowGroup } from './row-groups';
import type { RowLoops } from './row-loops';
import { divisorOf, lossShapes, RowRecords } from './row-records';
import { findMaxima, settleSums } from './softmax';

type CrossEntropyLoss<Backend> = Pick<Kernels<Backend>, 'CrossEntropyLoss' | 'CrossEntropyLossGrad'>;

/** A backend whose tensors can share their data. */
export interface SharingBackend {
  incRef(dataId: DataId): void;
}

export function crossEntropyLossKernels<Backend extends SharingBackend>(
  host: Host<Backend>,
): CrossEntropyLoss<Backend> {
  return {
    CrossEntropyLoss(inputs, attrs, backend) {
      const { input, target, weight } = inputs;
      const { onGradient } = attrs;
      const view = classView(input.shape, attrs.dim);
      const shapes: (readonly number[])[] = lossShapes(input, attrs, view.rows);
      if (onGradient) shapes.push(input.shape);
      const outputs = host(backend, [input, target, weight], shapes, (loops, [x, targets, weights], outputs) => {
        const call = new Call(inputs, attrs, view, loops, [x, targets, weights]);
        if (call.isIndex) checkTargets(targets, view.classes, attrs.ignoreIndex);
        const divisor = divisorOf(inputs, attrs, targets, weights);
        const records = new RowRecords(inputs, attrs, outputs, divisor);
        const dx = outputs[3] as Values | undefined;

        forEachGroup(view, loops, call.sources, dx, (group) => {
          findMaxima(group, loops, call.ignored);
          loops.product.fill(0, 0, group.rows);
          loops.mass.fill(0, 0, group.rows);
          loops.scale.fill(1, 0, group.rows);
          group[dx ? 'draft' : 'read']((tile) => {
            const g = call.coefficients(tile);
            if (g) loops.dot(tile, tile.sources[0], g);
            loops.exponentials(tile, tile.sources[0], dx && tile.out);
          });
          settleSums(group, loops, call.ignored);
          call.record(group, records);
          if (!dx) return;
          call.aim(group, records.record, ONE, divisor);
          group.write((tile) => {
            loops.scaled(tile, tile.out, tile.out, group.whole ? call.filled : call.coefficients(tile));
            call.subtractLabels(group, tile, records.record);
          });
        });
        records.reduce();
      });
      if (onGradient) onGradient(outputs.pop()!);
      return outputs as LossOutputs;
    },

    CrossEntropyLossGrad(inputs, attrs, backend) {
      const { input, target, weight, dy, record, divisor, gradient } = inputs;
      const view = classView(input.shape, attrs.dim);
      if (gradient && isOne(dy, backend)) {
        backend.incRef(gradient.dataId);
        return { dataId: gradient.dataId, shape: input.shape, dtype: 'float32' };
      }
      const tensors = [input, target, weight, dy, record, divisor];
      const [result] = host(backend, tensors, [input.shape], (loops, values, [dx]) => {
        const [x, targets, weights, upstream, records, [d]] = values;
        const call = new Call(inputs, attrs, view, loops, [x, targets, weights]);

        forEachGroup(view, loops, call.sources, dx, (group) => {
          for (let r = 0; r < group.rows; r++) {
            const row = group.first + r;
            loops.max[r] = call.ignored(row) ? Number.POSITIVE_INFINITY : records[row * 4];
          }
          call.aim(group, records, upstream, d);
          group.write((tile) => {
            loops.exponentials(tile, tile.sources[0], tile.out, call.coefficients(tile));
            call.subtractLabels(group, tile, records);
          });
        });
      });
      return result;
    },
  };

  function isOne(scalar: TensorInfo, backend: Backend): boolean {
    let is = false;
    host(backend, [scalar], [], (_, [[value]]) => {
      is = value === 1;
    });
    return is;
  }
}

/** The upstream gradient that a gradient is computed for along with the loss. */
const ONE = Float32Array.of(1);

/** The terms of one call, for both kernels. */
class Call {
  readonly isIndex: boolean;
  /** What the loops run over. */
  readonly sources: readonly Values[];
  /** A tile of coefficients, undefined for labels without smoothing, where the label alone counts. */
  readonly filled?: Values;
  /** The share of the label in a row's weight, and the mass of what smoothing adds to it. */
  private readonly labelShare: number;
  private readonly spreadMass: number;

  constructor(
    { target }: LossInputs,
    private readonly attrs: LossAttrs,
    private readonly view: ClassView,
    private readonly loops: RowLoops,
    private readonly tensors: [x: Values, targets: Values, weights: Values],
  ) {
    const [x, targets, weights] = tensors;
    const { labelSmoothing: e } = attrs;
    this.isIndex = target.dtype === 'int32';
    this.sources = this.isIndex ? [x] : [x, targets];
    if (!this.isIndex || e > 0) this.filled = loops.scratch[1];
    this.labelShare = this.isIndex ? 1 - e : 1;
    const weightSum = weights.length > 0 ? weights.reduce((a, b) => a + b, 0) : view.classes;
    this.spreadMass = this.isIndex && e > 0 ? (e / view.classes) * weightSum : 0;
  }

  readonly ignored = (row: number): boolean => this.isIndex && this.tensors[1][row] === this.attrs.ignoreIndex;

  /**
   * Fills a tile with what multiplies `-logProb[c]` besides what is at a label: `(q[c] * (1 - e) + e / C) * w[c]` for
   * probabilities `q`, `e / C * w[c]` for labels.
   */
  coefficients({ rows, classes, rowStride, classStride, firstClass, sources: [, q] }: GroupTile): Values | undefined {
    const g = this.filled;
    if (!g) return undefined;
    const [, , weights] = this.tensors;
    const { labelSmoothing: e } = this.attrs;
    const share = e / this.view.classes;
    for (let r = 0; r < rows; r++) {
      for (let c = 0, j = r * rowStride; c < classes; c++, j += classStride) {
        const w = weights.length > 0 ? weights[firstClass + c] : 1;
        g[j] = (q ? q[j] * (1 - e) + share : share) * w;
      }
    }
    return g;
  }

  /** Records the rows of a group from what is in their lanes. */
  record({ first, rows }: RowGroup, records: RowRecords): void {
    const { ignored, isIndex, labelShare, view } = this;
    const { max, sum, product, mass } = this.loops;
    const [x, targets, weights] = this.tensors;
    for (let r = 0, row = first; r < rows; r++, row++) {
      if (ignored(row)) {
        records.add(row, 0, 1, 0, 0, 0);
        continue;
      }
      const logSum = Math.log(sum[r]);
      const spread = product[r] === 0 && mass[r] === 0 ? 0 : product[r] + mass[r] * logSum;
      if (!isIndex) {
        records.add(row, max[r], sum[r], spread, 0, mass[r]);
        continue;
      }
      const t = targets[row];
      const w = weights.length > 0 ? weights[t] : 1;
      const atLabel = labelShare * w;
      // -logProb is (max - x) + logSum, in this order: exact for a row whose loss is almost 0.
      const likelihood = atLabel === 0 ? 0 : atLabel * (max[r] - x[elementAt(row, t, view)] + logSum);
      records.add(row, max[r], sum[r], likelihood, spread, w);
    }
  }

  /** Sets the lanes of a group for its gradient, which is `k * (mass * exp(x - max) / sum - coefficients)`. */
  aim({ first, rows }: RowGroup, record: Values, dy: Values, divisor: number): void {
    const { labelShare, spreadMass } = this;
    const { scale, turn } = this.loops;
    const dyStep = this.attrs.reduction === 'none' ? 1 : 0;
    for (let r = 0, row = first; r < rows; r++, row++) {
      const k = dy[row * dyStep] / divisor;
      scale[r] = (k * (labelShare * record[row * 4 + 3] + spreadMass)) / record[row * 4 + 1];
      turn[r] = -k;
    }
  }

  /** What the gradient has at the labels only. */
  subtractLabels({ first, rows }: RowGroup, tile: GroupTile, record: Values): void {
    const { ignored, isIndex, labelShare } = this;
    const { out, rowStride, classStride, firstClass, classes } = tile;
    const { turn } = this.loops;
    const [, labels] = this.tensors;
    if (!isIndex) return;
    for (let r = 0, row = first; r < rows; r++, row++) {
      const c = labels[row] - firstClass;
      if (c < 0 || c >= classes || ignored(row)) continue;
      out[r * rowStride + c * classStride] += turn[r] * labelShare * record[row * 4 + 3];
    }
  }
}
