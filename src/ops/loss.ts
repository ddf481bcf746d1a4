import {
  engine,
  mul,
  type NamedAttrMap,
  onesLike,
  registerGradient,
  reshape,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { classView } from '../contract/class-view';
import { dense, detached } from '../contract/formulas';
import type { LossAttrs } from '../contract/kernels';
import { blockedSum, total } from '../contract/sum';
import { runOp, runSaving } from './run-op';
import { isDifferentiatedOnce, recall, saveForGradient } from './tape';
import { expectedUpstream, noteUpstream } from './upstream';

/** The inputs of a loss kernel (`LossInputs`), as ops hold them. */
export type LossTensors = { readonly [Name in 'input' | 'target' | 'weight']: Tensor };

/** The inputs of its gradient kernel (`LossGradInputs`). */
export type LossGradTensors = LossTensors & { readonly dy: Tensor; readonly record: Tensor; readonly divisor: Scalar };

/** The loss, and `Stats` if they were wanted: these are constants to any derivative. */
export type LossAndStats = [loss: Tensor, correct: Tensor, count: Tensor];

/** What a caller of an op says of a loss: the op adds the rest. */
type GivenAttrs = Omit<LossAttrs, 'wants' | 'upstream'>;

/** What is known of it once it stands on the tape. */
type PlacedAttrs = LossAttrs & { readonly place: number };

type Grads<Name extends string> = Record<Name, () => Tensor>;

/** The derivatives that a loss adds to those that both losses have. */
interface LossDerivatives {
  /** Of the loss, by its target and its weight. */
  loss(dy: Tensor, inputs: LossTensors, attrs: LossAttrs): Grads<'target' | 'weight'>;
  /** Of `<gradient kernel's output, v>`, by its input, target and weight. */
  grad(v: Tensor, inputs: LossGradTensors, attrs: LossAttrs): Grads<'input' | 'target' | 'weight'>;
}

/**
 * A loss as an op: registers the gradient of its kernel and that of its gradient kernel, so that derivatives of any
 * order work, and returns the function that runs it. No backend is named here.
 */
export function defineLoss(kernelName: 'NLLLoss' | 'CrossEntropyLoss', derivatives: LossDerivatives) {
  const runGrad = (inputs: LossGradTensors, attrs: LossAttrs): Tensor => runSaving(`${kernelName}Grad`, inputs, attrs);

  registerGradient({
    kernelName,
    gradFunc: (upstream, saved, attributes) => {
      const attrs = attributesOf(attributes);
      const dy = upstream as Tensor;
      const { gradient, record, divisor, ...rest } = recall(saved);
      const inputs = rest as LossTensors;
      const input = () => {
        if (record) return runGrad({ dy, record, divisor: divisor as Scalar, ...inputs }, attrs);
        if (!engine().isTapeOn()) {
          noteUpstream(attrs.place, dy);
          return runOp<Tensor>('ScaleGradient', { gradient, dy, target: inputs.target }, attrs);
        }
        // The gradient at hand has no derivative, and its record was not kept.
        const [, made, by] = runOp<Tensor[]>(kernelName, inputs, { ...attrs, wants: 'record' }).map(detached);
        return runGrad({ ...inputs, dy, record: made, divisor: by as Scalar }, attrs);
      };
      return { input, ...derivatives.loss(dy, inputs, attrs) };
    },
  });

  registerGradient({
    kernelName: `${kernelName}Grad`,
    gradFunc: (upstream, saved, attributes) => {
      const attrs = attributesOf(attributes);
      const v = upstream as Tensor;
      const inputs = recall(saved) as unknown as LossGradTensors;
      const { dy } = inputs;
      // The record and the divisor are cut off from the tape: what they contribute is in the derivative by the input.
      return {
        dy: () => {
          const products = mul(v, runGrad({ ...inputs, dy: onesLike(dy) }, attrs));
          if (attrs.reduction !== 'none') return total(products);
          return reshape(blockedSum(dense(products, classView(v.shape, attrs.dim))), dy.shape);
        },
        ...derivatives.grad(v, inputs, attrs),
      };
    },
  });

  // What it does not return, its caller tidies up.
  return (inputs: LossTensors, attrs: GivenAttrs): LossAndStats => {
    const wants = !engine().isTapeOn() ? 'loss' : isDifferentiatedOnce() ? 'gradient' : 'record';
    // On the way of every step `...` comes last: V8 copies an object much faster where nothing is added behind it.
    const outputs = runOp<Tensor[]>(kernelName, inputs, { wants, ...expectedUpstream(), ...attrs });
    const [result, made, divisor] = readOutputs(outputs, attrs.stats);
    if (!engine().isTapeOn()) return result;
    const { target, weight } = inputs;
    if (divisor) saveForGradient({ record: made, divisor, ...inputs });
    // With the gradient at hand, only those of probabilities and weights need the logits.
    else saveForGradient({ gradient: made, ...(attrs.target === 'indices' ? { target, weight } : inputs) });
    return result;
  };
}

/** What a loss kernel has given (`LossOutputs`). Only a record has a divisor with it. */
export function readOutputs(
  outputs: readonly Tensor[],
  hasStats?: boolean,
): [result: LossAndStats, gradientOrRecord: Tensor, divisor?: Tensor] {
  const size = outputs.length - (hasStats ? 2 : 0);
  const [loss, gradientOrRecord, divisor] = outputs.slice(0, size);
  return [[loss, ...outputs.slice(size)] as LossAndStats, gradientOrRecord, divisor];
}

const attributesOf = (attributes: NamedAttrMap) => attributes as unknown as PlacedAttrs;

/** The derivatives of a loss of class indices by target and weight: there are none. */
export function notDifferentiable(kernelName: string): Grads<'target' | 'weight'> {
  const none = (argument: string) => (): Tensor => {
    throw new Error(
      `The function '${kernelName}' is not differentiable with respect to argument '${argument}' when the target ` +
        `holds class indices.`,
    );
  };
  return { target: none('target'), weight: none('weight') };
}
