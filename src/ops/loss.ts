import {
  engine,
  mul,
  type NamedAttrMap,
  onesLike,
  registerGradient,
  type Scalar,
  sum,
  type Tensor,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { Along, LossAttrs } from '../contract/kernels';
import { runOp } from './run-op';
import { detached, isDifferentiatedOnce, saveForGradient, shared } from './tape';

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
  const runGrad = (inputs: object, attrs: LossAttrs): Tensor => runOp(`${kernelName}Grad`, inputs, attrs);

  registerGradient({
    kernelName,
    gradFunc: (upstream, [target, input, weight, record, divisor], attributes) => {
      const attrs = attributesOf(attributes);
      const dy = upstream as Tensor;
      const inputs = { dy, input, target, weight, record, divisor: divisor as Scalar };
      const gradient = attrs.along?.gradient as Tensor | undefined;
      return {
        input: () => {
          if (!gradient) return runGrad(inputs, attrs);
          return dy.dataSync()[0] === 1 ? detached(gradient) : runGrad({ dy, gradient }, attrs);
        },
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

  return (inputs: LossTensors, attrs: LossAttrs): Tensor =>
    tidy(() => {
      const run = (options: Pick<LossAttrs, 'records' | 'along'>) =>
        runOp<Tensor[]>(kernelName, inputs, { ...attrs, ...options });
      if (!engine().isTapeOn()) return run({})[0];
      const { input, target, weight } = inputs;
      const once = isDifferentiatedOnce();
      const connected = once ? [] : [target, input, weight].map((x) => shared(x));
      const along: Along | undefined = once && attrs.reduction !== 'none' ? {} : undefined;
      const [loss, record, divisor] = run({ records: true, along });
      if (along?.gradient) along.gradient = engine().makeTensorFromTensorInfo(along.gradient);
      const gradient = along?.gradient as Tensor | undefined;
      // With the gradient at hand, only those of probabilities and weights need the rest.
      const rest = gradient && target.dtype === 'int32' ? [] : [input, weight];
      const saved = once ? [target, ...rest].map(detached) : connected;
      if (rest.length > 0) saved.push(detached(record), detached(divisor));
      saveForGradient(gradient ? [...saved, gradient] : saved);
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
