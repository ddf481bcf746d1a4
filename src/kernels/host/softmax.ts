import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import type { Kernels } from '../../ops/contracts';
import type { Host } from './host';
import { forEachGroup, type RowGroup } from './row-groups';
import type { RowLoops } from './row-loops';

/** What maxima start at, rather than -Infinity, from which nothing can be subtracted. */
const LOWEST = -3.4028234663852886e38;

type RowPredicate = (row: number) => boolean;

/** The maximum of each of the group's rows, into `loops.max`, and 0 into `loops.sum`. Ignored rows will be left out. */
export function findMaxima(group: RowGroup, loops: RowLoops, ignored: RowPredicate = none): void {
  const { first, rows } = group;
  for (let r = 0; r < rows; r++) loops.max[r] = ignored(first + r) ? Number.POSITIVE_INFINITY : LOWEST;
  loops.sum.fill(0, 0, rows);
  group.read((tile) => loops.peak(tile, tile.sources[0]));
}

/**
 * To be called when `loops.exponentials` have been summed: the sum is NaN for a row that holds NaN or Infinity, or
 * nothing but -Infinity. Such a row is not left out from here on.
 */
export function settleSums({ first, rows }: RowGroup, { max, sum }: RowLoops, ignored: RowPredicate = none): void {
  for (let r = 0; r < rows; r++) {
    if (sum[r] > 0 || ignored(first + r)) continue;
    sum[r] = Number.NaN;
    max[r] = 0;
  }
}

const none: RowPredicate = () => false;

/** The maxima and sums of a group; its exponentials are left where it has its output, if `keep` says so. */
function sumExponentials(group: RowGroup, loops: RowLoops, keep: 'draft' | 'read'): void {
  findMaxima(group, loops);
  loops.scale.fill(1, 0, group.rows);
  group[keep]((tile) => loops.exponentials(tile, tile.sources[0], keep === 'draft' ? tile.out : undefined));
  settleSums(group, loops);
}

type Softmax<Backend> = Pick<Kernels<Backend>, 'LogSoftmaxDim' | 'LogSoftmaxDimGrad' | 'SoftmaxDim' | 'SoftmaxDimGrad'>;

export function softmaxKernels<Backend>(host: Host<Backend>): Softmax<Backend> {
  /** A tensor like the first input whose groups of rows `f` fills. */
  function map(inputs: TensorInfo[], dim: number, backend: Backend, f: (group: RowGroup, loops: RowLoops) => void) {
    const { shape } = inputs[0];
    const [result] = host(backend, inputs, [shape], (loops, sources, [out]) => {
      forEachGroup(classView(shape, dim), loops, sources, out, (group) => f(group, loops));
    });
    return result;
  }

  return {
    LogSoftmaxDim: ({ x }, { dim }, backend) =>
      map([x], dim, backend, (group, loops) => {
        sumExponentials(group, loops, 'read');
        for (let r = 0; r < group.rows; r++) loops.scale[r] = Math.log(loops.sum[r]);
        group.write((tile) => loops.logProbs(tile, tile.sources[0], tile.out));
      }),

    LogSoftmaxDimGrad: ({ dy, x }, { dim }, backend) =>
      map([x, dy], dim, backend, (group, loops) => {
        const { mass, max, product, scale, sum, turn } = loops;
        max.fill(0, 0, group.rows);
        product.fill(0, 0, group.rows);
        mass.fill(0, 0, group.rows);
        group.read((tile) => loops.dot(tile, tile.sources[0], tile.sources[1]));
        sumExponentials(group, loops, 'draft');
        for (let r = 0; r < group.rows; r++) scale[r] = -mass[r] / sum[r];
        turn.fill(1, 0, group.rows);
        group.write((tile) => loops.scaled(tile, tile.out, tile.out, tile.sources[1]));
      }),

    SoftmaxDim: ({ x }, { dim }, backend) =>
      map([x], dim, backend, (group, loops) => {
        sumExponentials(group, loops, 'draft');
        for (let r = 0; r < group.rows; r++) loops.scale[r] = 1 / loops.sum[r];
        group.write((tile) => loops.scaled(tile, tile.out, tile.out));
      }),

    SoftmaxDimGrad: ({ dy, y }, { dim }, backend) =>
      map([y, dy], dim, backend, (group, loops) => {
        const { mass, max, product, scale } = loops;
        max.fill(0, 0, group.rows);
        product.fill(0, 0, group.rows);
        mass.fill(0, 0, group.rows);
        group.read((tile) => loops.dot(tile, tile.sources[0], tile.sources[1]));
        for (let r = 0; r < group.rows; r++) scale[r] = -product[r]; // the mean of dy under y
        group.write((tile) => loops.centred(tile, tile.sources[0], tile.sources[1], tile.out));
      }),
  };
}
