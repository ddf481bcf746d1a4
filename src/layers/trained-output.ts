import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import { logSoftmax, softmax } from '../functional/softmax';
import { type Criterion, DEFAULT, isCrossEntropy } from './criterion';
import { type LayersFunction, sourceOf } from './layers-function';
import { lossOfBatch, lossOfExamples } from './loss';
import { type Measured, measure, readBatch } from './measure';
import { isElementwise, metricOfClasses } from './metric-names';
import type { BatchData, MetricEntry, SymbolicTensor } from './model';
import { activationOf, type Ending } from './softmax-ending';

/** What trains an output: a criterion, along an axis of the output. */
export interface Trainer {
  readonly criterion: Criterion;
  /** From 0. */
  readonly axis: number;
  /** What was asked for, if it was Layers' own. */
  readonly layersName?: 'categoricalCrossentropy' | 'sparseCategoricalCrossentropy';
}

/**
 * The loss and the metrics of one output of a compiled model. Layers calls them one after another on the same target
 * and output; what they share of the batch is computed once.
 */
export class TrainedOutput {
  private readonly elementwise: string[] = [];
  private hasClassWeight = false;
  private latest: { yTrue: Tensor; yPred: Tensor; measured: Measured } | undefined;

  constructor(
    private readonly output: SymbolicTensor,
    private readonly trainer: Trainer,
    private readonly ending: Ending,
  ) {}

  readonly loss: LayersFunction = (yTrue, yPred) => {
    const measured = this.measured(yTrue, yPred);
    return this.hasClassWeight ? lossOfExamples(measured) : lossOfBatch(measured);
  };

  /** What takes the place of a metric; `ofLayers` is what Layers made of the same entry. */
  metric(entry: MetricEntry, ofLayers: LayersFunction): LayersFunction {
    const { criterion, axis } = this.trainer;
    const source = sourceOf(entry);
    const isOurs = source?.criterion === DEFAULT || (source?.criterion === criterion && source.axis === axis);
    const metric = isOurs ? source!.of : metricOfClasses(entry);
    if (metric) return (yTrue, yPred) => metric(this.measured(yTrue, yPred));
    if (source) return (yTrue, yPred) => tidy(() => ofLayers(yTrue, this.values(yPred)));
    if (!isElementwise(entry)) return this.ending.seen(ofLayers);
    this.elementwise.push(typeof entry === 'string' ? entry : entry.name);
    const isLogits = activationOf(this.ending.layer) !== 'softmax';
    return isLogits ? (yTrue, yPred) => tidy(() => ofLayers(yTrue, softmax(yPred, axis))) : this.ending.seen(ofLayers);
  }

  /** Before each batch. Throws, before anything is computed, where its target cannot be. */
  begin(target: Tensor, classWeight: BatchData[number]): void {
    const { shape } = this.output;
    const hasIndices = !(
      target.rank === shape.length && shape.every((size, i) => (size ?? target.shape[i]) === target.shape[i])
    );
    if (hasIndices && this.elementwise.length > 0) {
      throw new Error(
        `The metric '${this.elementwise[0]}' compares targets and outputs element by element, but the target of shape ` +
          `[${target.shape}] holds class indices. Write 'accuracy', 'crossentropy' or topKAccuracy(k), or train with ` +
          'one-hot targets.',
      );
    }
    if (!hasIndices && this.trainer.layersName === 'sparseCategoricalCrossentropy') {
      throw new Error(
        `The loss 'sparseCategoricalCrossentropy' takes class indices, but the target has the output's shape ` +
          `[${target.shape}]. Write loss: 'categoricalCrossentropy' for one-hot targets.`,
      );
    }
    if (classWeight && hasIndices && target.size > target.shape[0]) {
      throw new Error(
        `Layers' classWeight is for one class an example, but the target of shape [${target.shape}] holds several. ` +
          'Give the class weights to the criterion: new CrossEntropyLoss({ weight: [1, 2, ...] }).',
      );
    }
    this.hasClassWeight = classWeight != null;
  }

  end(): void {
    this.latest = undefined;
  }

  private measured(yTrue: Tensor, yPred: Tensor): Measured {
    if (this.latest?.yTrue !== yTrue || this.latest.yPred !== yPred) {
      const { criterion, axis } = this.trainer;
      this.latest = { yTrue, yPred, measured: measure(readBatch(criterion, axis, yTrue, this.values(yPred))) };
    }
    return this.latest.measured;
  }

  /** What the criterion is to be given: after a softmax the logits, or log-probabilities, and else what there is. */
  private values(yPred: Tensor): Tensor {
    const { criterion, axis } = this.trainer;
    const { logits, probabilities } = this.ending;
    if (!logits) return probabilities ? probabilities(yPred) : yPred;
    return isCrossEntropy(criterion) ? logits(yPred) : logSoftmax(logits(yPred), axis);
  }
}
