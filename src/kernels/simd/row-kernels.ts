import type { Values } from '../host/host';
import { javascript } from '../host/javascript';
import { coefficientsOf } from '../host/record';
import type { LossRows, RowKernels } from '../host/row-kernels';
import { forEachBlock } from './blocks';
import { instantiate, type Module, setParameters } from './module';
import { addProduct } from './products';
import type { Workspace } from './workspace';

/** The row kernels in WebAssembly SIMD, or `null` where there is none. */
export function simdRowKernels(workspace: Workspace): RowKernels | null {
  const module = instantiate(workspace.memory);
  if (!module) return null;
  module.workspace.value = -1; // none yet
  const isWithin = (x: Values) => x.buffer === workspace.memory.buffer;

  return {
    loss(rows, gradient) {
      setLoss(module, rows);
      setParameters(module, { likelihoods: 0, smoothings: 0 });
      const { view, x, probabilities: q, labels, weights, record: recordOut, correct: correctOut } = rows;
      const arrays = { x, q, out: gradient, labels, recordOut, correctOut, weights };
      forEachBlock(module, workspace, view, arrays, module.loss);
      return { likelihoods: module.likelihoods.value, smoothings: module.smoothings.value };
    },

    lossGradient(rows, dy, gradient) {
      setLoss(module, rows);
      const { view, x, probabilities: q, labels, weights, record } = rows;
      forEachBlock(module, workspace, view, { x, q, out: gradient, labels, record, dy, weights }, module.lossGradient);
    },

    softmax(x, view, out) {
      setCoefficients(module, false);
      forEachBlock(module, workspace, view, { x, out }, (rows, x, _, out) => module.softmax(rows, x, out));
    },

    logSoftmax(x, view, out) {
      setCoefficients(module, false);
      forEachBlock(module, workspace, view, { x, out }, (rows, x, _, out) => module.logSoftmax(rows, x, out));
    },

    softmaxGradient(y, dy, view, out) {
      setCoefficients(module, true);
      forEachBlock(module, workspace, view, { x: y, q: dy, out }, module.softmaxGradient);
    },

    logSoftmaxGradient(x, dy, view, out) {
      setCoefficients(module, true);
      forEachBlock(module, workspace, view, { x, q: dy, out }, module.logSoftmaxGradient);
    },

    // In place, where nothing need be moved: so it must not reserve any room, for which the memory might grow.
    scale(x, view, dy, upstream) {
      if (!isWithin(x)) return javascript.scale(x, view, dy, upstream); // there and back would take longer
      const { outer, classes, inner, rows } = view;
      if (dy.length === 1 || inner === 1) {
        const [count, size] = dy.length === 1 ? [1, x.length] : [rows, classes];
        setParameters(module, { classes: size, classStride: 0, upstreamStep: 4 });
        module.upstream.value = dy.byteOffset;
        module.scale(count, x.byteOffset, 1 / upstream);
        return;
      }
      setParameters(module, { classes, classStride: 4 * inner });
      for (let o = 0; o < outer; o++) {
        module.upstream.value = dy.byteOffset + 4 * o * inner;
        module.scale(inner, x.byteOffset + 4 * o * classes * inner, 1 / upstream);
      }
    },

    addProduct: (to, matrices) => addProduct(module, workspace, to, matrices),
  };
}

function setLoss(module: Module, rows: LossRows): void {
  const { labelShare, hasClassCoefficients, probabilityShare, uniformShare } = coefficientsOf(rows);
  setParameters(module, {
    ignoreIndex: rows.ignoreIndex,
    labelShare,
    hasClassCoefficients: Number(hasClassCoefficients),
    probabilityShare,
    uniformShare,
    perDivisor: 1 / rows.gradientDivisor,
  });
}

/** The coefficients of a softmax's gradient are the upstream gradients as they are. */
function setCoefficients(module: Module, areGiven: boolean): void {
  setParameters(module, { hasClassCoefficients: Number(areGiven), probabilityShare: 1, uniformShare: 0 });
}
