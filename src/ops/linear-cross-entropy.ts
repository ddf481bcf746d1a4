import {
  add,
  engine,
  matMul,
  type NamedTensorMap,
  pad,
  reshape,
  scalar,
  slice,
  type Tensor,
  tensor,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { detached } from '../contract/formulas';
import { knownValues } from '../kernels/known-values';
import { inChunks, type LinearLossAttrs, type LinearTensors, sizeOf, withoutIgnored } from './linear-chunks';
import { type LossAndStats, notDifferentiable } from './loss';
import { lossAndStats } from './loss-and-stats';
import { runOp } from './run-op';
import { isDifferentiatedOnce, recall, saveForGradient } from './tape';

/** For functions, which know no kernels. */
export { checkLabels } from '../kernels/known-values';

/**
 * The cross-entropy of `logits = input linearWeight^T + linearBias`, without all logits at a time. A chunk of rows is
 * projected, its loss found, the gradient by its logits written over them, and used up at once: for the gradient by its
 * rows of the input, which is done then, and for its share of the others. So gradients are made along with the loss,
 * for an upstream gradient of 1, and scaled by the upstream later. Without a reduction each row has an upstream of its
 * own, which has to be there before rows are added up: then the chunks are gone through once more.
 *
 * What that cannot give, derivatives of the gradient and those by probabilities, is taken of all logits at a time.
 */
export function linearCrossEntropyOp(inputs: LinearTensors, attrs: LinearLossAttrs): LossAndStats {
  const { input, linearWeight, linearBias } = inputs;
  if (input.shape[1] === 0 && linearBias.size > 0) {
    // Of no features the bias is all there is: with one that is 0 it goes the same way.
    const widened = (x: Tensor) => pad(x, [...x.shape.slice(1).map((): [number, number] => [0, 0]), [0, 1]]);
    return linearCrossEntropyOp({ ...inputs, input: widened(input), linearWeight: widened(linearWeight) }, attrs);
  }
  const isTapeOn = engine().isTapeOn();
  if (isTapeOn && !isDifferentiatedOnce() && sizeOf(inputs) > 0) return ofAllLogits(inputs, attrs);
  const isReduced = attrs.reduction !== 'none';
  const isEmpty = sizeOf(inputs) === 0;
  const outputs = (engine() as unknown as WithFunctions).runKernelFunc({
    inputs,
    forwardFunc: () => inChunks(inputs, attrs, isTapeOn && isReduced ? scalar(1) : undefined),
    backwardsFunc: (dy, saved) => gradientsOf(dy, saved, attrs, isEmpty),
  });
  const result = outputs.slice(0, attrs.stats ? 3 : 1) as LossAndStats;
  if (isTapeOn) {
    const [byInput, byLinearWeight, byLinearBias] = outputs.slice(result.length);
    const made = isReduced && { byInput, byLinearWeight, byLinearBias };
    const { linearWeight: _, ...others } = inputs;
    // With the gradients at hand, only those of probabilities need the weight.
    saveForGradient(
      { ...(isReduced && attrs.target === 'indices' && !isEmpty ? others : inputs), ...made },
      Object.keys(made),
    );
  }
  return result;
}

/** TensorFlow.js's `customGrad`, whose function may have several outputs here: the engine would take them for leaked. */
interface WithFunctions {
  runKernelFunc(op: {
    inputs: NamedTensorMap;
    forwardFunc: () => Tensor[];
    backwardsFunc: (dy: Tensor, saved: Tensor[]) => Record<string, () => Tensor>;
  }): Tensor[];
}

function gradientsOf(
  dy: Tensor,
  saved: Tensor[],
  attrs: LinearLossAttrs,
  isEmpty: boolean,
): Record<string, () => Tensor> {
  const recalled = recall(saved);
  const inputs = recalled as unknown as LinearTensors;
  const plainly = (name: keyof LinearTensors) => () => {
    if (isEmpty) return zerosLike(inputs[name]);
    return derivativeOfAllLogits(inputs, name, dy, attrs);
  };
  const byTarget =
    attrs.target === 'probabilities'
      ? { target: plainly('target'), weight: plainly('weight') }
      : notDifferentiable('LinearCrossEntropyLoss');
  if (engine().isTapeOn() || isEmpty) {
    return {
      input: plainly('input'),
      linearWeight: plainly('linearWeight'),
      linearBias: plainly('linearBias'),
      ...byTarget,
    };
  }
  let made = recalled;
  if (attrs.reduction === 'none') {
    const [, byInput, byLinearWeight, byLinearBias] = tidy(() => inChunks(inputs, { ...attrs, stats: false }, dy));
    made = { byInput, byLinearWeight, byLinearBias };
  }
  const scaled = (gradient: Tensor, hasRows = false) => {
    if (attrs.reduction === 'none') return gradient;
    const upstream = knownValues(dy)?.[0];
    if (upstream === 1) return detached(gradient);
    const ofIndices = hasRows && attrs.target === 'indices';
    const isOnePerRow = inputs.target.size === gradient.shape[0];
    const result = runOp<Tensor>(
      'ScaleGradient',
      { gradient, dy, target: inputs.target },
      {
        dim: gradient.rank - 1,
        target: ofIndices && isOnePerRow ? 'indices' : 'probabilities',
        ignoreIndex: attrs.ignoreIndex,
        labelSmoothing: 1, // as sums over classes, all elements are differences
        reduction: 'mean',
        upstream: 1,
      },
    );
    // Times Infinity the 0 of rows would be NaN whose several targets are all ignored.
    const isHarmed = ofIndices && !isOnePerRow && !Number.isFinite(upstream);
    return isHarmed ? withoutIgnored(result, inputs.target, attrs) : result;
  };
  return {
    input: () => scaled(made.byInput, true),
    linearWeight: () => scaled(made.byLinearWeight),
    linearBias: () => scaled(made.byLinearBias),
    ...byTarget,
  };
}

/** By TensorFlow.js's own ops and `crossEntropyLossOp`: what can be differentiated any number of times. */
function ofAllLogits(
  { input, linearWeight, linearBias, target, weight }: LinearTensors,
  attrs: LinearLossAttrs,
): LossAndStats {
  const [rows, features] = input.shape;
  const shape = [rows, ...linearWeight.shape.slice(0, -1)];
  const products = matMul(
    attrs.target === 'indices' ? withoutIgnored(input, target, attrs) : input,
    reshape(linearWeight, [-1, features]),
    false,
    true,
  );
  const logits = linearBias.size > 0 ? add(products, reshape(linearBias, [-1])) : products;
  return lossAndStats({ input: reshape(logits, shape), target, weight }, { ...attrs, dim: 1 });
}

function derivativeOfAllLogits(inputs: LinearTensors, name: keyof LinearTensors, dy: Tensor, attrs: LinearLossAttrs) {
  const { state } = engine();
  // Outside of all gradients TensorFlow.js would begin a new tape, and lose the one that is being read.
  state.gradientDepth++;
  try {
    return engine().gradients(() => ofAllLogits(inputs, { ...attrs, stats: false })[0], [inputs[name]], dy).grads[0];
  } finally {
    state.gradientDepth--;
  }
}

/** The targets of sequences from a position on, none if there is no such position; known labels stay known. */
export function sliceTarget(target: Tensor, shift: number): Tensor {
  const [sequences, length, ...classes] = target.shape;
  const size = Math.max(0, length - shift);
  const labels = classes.length === 0 ? knownValues(target) : undefined;
  if (labels)
    return tensor(
      labels.filter((_, i) => i % length >= shift),
      [sequences, size],
      'int32',
    );
  return slice(target, [0, length - size]);
}
