import { type Criterion, isCrossEntropy } from './criterion';
import type { Layer } from './model';
import { activationOf } from './softmax-ending';

const warned = new WeakSet<Layer>();

/** Warns, once a layer, where the values that it gives a criterion are not of the kind that it expects. */
export function warnOfValues(layer: Layer, criterion: Criterion): void {
  const activation = activationOf(layer);
  const advice = isCrossEntropy(criterion) ? forLogits(activation) : forLogProbabilities(activation);
  if (advice === undefined || warned.has(layer)) return;
  warned.add(layer);
  console.warn(`tfjs-cross-entropy: ${advice.replace('LAYER', `layer "${layer.name}"`)}`);
}

function forLogits(activation: unknown): string | undefined {
  if (activation !== 'softmax') return undefined;
  return (
    'CrossEntropyLoss expects logits, but LAYER applies a softmax whose logits cannot be had: the loss takes another ' +
    'one. Remove that activation, and apply tf.softmax to what predict() returns.'
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
