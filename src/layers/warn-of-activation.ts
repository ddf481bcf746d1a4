import { type Criterion, isCrossEntropy } from './criterion';
import type { Layer } from './model';

const warned = new WeakSet<Layer>();

/** Warns, once a layer, where the values that reach the criterion are not of the kind that it expects. */
export function warnOfActivation(output: Layer, criterion: Criterion): void {
  const layer = sourceOfValues(output);
  const activation = layer.getClassName() === 'Softmax' ? 'softmax' : layer.getConfig().activation;
  const advice = isCrossEntropy(criterion) ? forLogits(activation) : forLogProbabilities(activation);
  if (advice === undefined || warned.has(layer)) return;
  warned.add(layer);
  console.warn(`tfjs-cross-entropy: ${advice.replace('LAYER', `layer "${layer.name}"`)}`);
}

function forLogits(activation: unknown): string | undefined {
  if (activation !== 'softmax') return undefined;
  return (
    'CrossEntropyLoss expects logits, but LAYER applies a softmax: the loss takes another one. Remove that activation, ' +
    'and apply tf.softmax to what predict() returns.'
  );
}

/** Layers without an activation of their own are not judged. */
function forLogProbabilities(activation: unknown): string | undefined {
  if (typeof activation !== 'string' || activation === 'logSoftmax') return undefined;
  return (
    `NLLLoss expects log-probabilities, but LAYER has the activation '${activation}'. Give it no activation and train ` +
    "with CrossEntropyLoss, or give it the activation 'logSoftmax'."
  );
}

/** The layer that computes the values: not one that just moves them, wraps it, or contains it. */
function sourceOfValues(layer: Layer): Layer {
  if (layer.layer) return sourceOfValues(layer.layer);
  if (layer.outputs) return sourceOfValues(layer.outputs[0].sourceLayer);
  const moves = ['Reshape', 'Permute', 'Flatten'].includes(layer.getClassName());
  return moves ? sourceOfValues(layer.inboundNodes[0].inboundLayers[0]) : layer;
}
