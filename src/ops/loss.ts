import {
  engine,
  mul,
  type NamedAttrMap,
  onesLike,
  registerGradient,
  type Scalar,
  sum,
  type Tensor,
  type TensorInfo,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { LossAttrs } from './contracts';
import { runOp } from './run-op';
import { saveForGradient, shared } from './save';

/** The inputs of a loss kernel (`LossInputs`), as ops hold them. */
export interface LossTensors {
  readonly input: Tensor;
  readonly target: Tensor;
  readonly weight: Tensor;
}

/** The inputs of its gradient kernel (`LossGradInputs`). */
export interface LossGradTensors extends LossTensors {
  readonly dy: Tensor;
  readonly record: Tensor;
  readonly divisor: Scalar;
  readonly gradient?: Tensor;
}

type Grads<Name extends string> = Record<Name, () => Tensor>;

/** The derivatives that a loss adds to those that both losses have. */
export interface LossDerivatives {
  /** Of the loss, by its target and its weight. */
  loss(inputs: LossGradTensors, attrs: LossAttrs): Grads<'target' | 'weight'>;
  /** Of `<gradient kernel's output, v>`, by its input, target and weight. */
  grad(v: Tensor, inputs: LossGradTensors, attrs: LossAttrs): Grads<'input' | 'target' | 'weight'>;
}

/**
 * A loss as an op: registers the gradient of its kernel and that of its gradient kernel, so that derivatives of any
 * order work, and returns the function that runs it. No backend is named here.
 */
export function defineLoss(kernelName: 'NLLLoss' | 'CrossEntropyLoss', derivatives: LossDerivatives) {
  const runGrad = (inputs: LossGradTensors, attrs: LossAttrs): Tensor => runOp(`${kernelName}Grad`, inputs, attrs);

  registerGradient({
    kernelName,
    outputsToSave: [false, true, true],
    gradFunc: (dys, [record, divisor, input, target, weight, gradient], attributes) => {
      const attrs = attributesOf(attributes);
      const [dy] = dys as Tensor[]; // those of the record and the divisor are zeros
      const inputs = { dy, input, target, weight, record, divisor: divisor as Scalar };
      return {
        input: () => runGrad({ ...inputs, ...(gradient && { gradient }) }, attrs),
        ...derivatives.loss(inputs, attrs),
      };
    },
  });

  registerGradient({
    kernelName: `${kernelName}Grad`,
    inputsToSave: ['dy', 'input', 'target', 'weight', 'record', 'divisor'],
    gradFunc: (v, [dy, input, target, weight, record, divisor], attributes) => {
      const attrs = attributesOf(attributes);
      const inputs = { dy, input, target, weight, record, divisor: divisor as Scalar };
      return {
        dy: () => {
          const perUnit = mul(v as Tensor, runGrad({ ...inputs, dy: onesLike(dy) }, attrs));
          return attrs.reduction === 'none' ? sum(perUnit, attrs.dim) : sum(perUnit);
        },
        // Functions of the input too, but what they contribute is in the derivative by the input already.
        record: () => zerosLike(record),
        divisor: () => zerosLike(divisor),
        ...derivatives.grad(v as Tensor, inputs, attrs),
      };
    },
  });

  const runLoss = (inputs: LossTensors, attrs: LossAttrs): Tensor => runOp<Tensor[]>(kernelName, inputs, attrs)[0];

  return (inputs: LossTensors, attrs: LossAttrs): Tensor =>
    tidy(() => {
      if (!engine().isTapeOn()) return runLoss(inputs, attrs);
      const [input, target, weight] = [inputs.input, inputs.target, inputs.weight].map((x) => shared(x));
      const saved = [input, target, weight];
      const onGradient = (gradient: TensorInfo) => {
        saved.push(engine().makeTensorFromTensorInfo(gradient));
      };
      const scalar = attrs.reduction !== 'none';
      const loss = runLoss({ input, target, weight }, scalar ? { ...attrs, onGradient } : attrs);
      saveForGradient(saved);
      return loss;
    });
}

const attributesOf = (attributes: NamedAttrMap) => attributes as unknown as LossAttrs;

/** Thrown when somebody differentiates by what has no derivative. */
export function notDifferentiable(kernelName: string, argument: string): () => Tensor {
  return () => {
    throw new Error(
      `The function '${kernelName}' is not differentiable with respect to argument '${argument}' when the target ` +
        `holds class indices.`,
    );
  };
}
