import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../ops/class-view';
import type { LossAttrs, LossGradInputs, LossInputs } from '../../ops/contracts';

/** What the shaders of both losses have in common. */

/** Inputs under the names that shaders use (`target` is a reserved word of WGSL), and uniforms. */
export function lossShader({ input, target, weight }: LossInputs, { dim, ignoreIndex, labelSmoothing }: LossAttrs) {
  const inputs: Record<string, TensorInfo> = { x: input, weight };
  inputs[target.dtype === 'int32' ? 'labels' : 'probabilities'] = target;
  return { view: classView(input.shape, dim), inputs, ints: { ignoreIndex }, floats: { labelSmoothing } };
}

/** The same for its gradient. */
export function lossGradShader(inputs: LossGradInputs, attrs: LossAttrs) {
  const { dy, divisor, record, input } = inputs;
  const loss = lossShader(inputs, attrs);
  return {
    ...loss,
    inputs: { ...loss.inputs, dy, divisor },
    ints: { ...loss.ints, dyStep: attrs.reduction === 'none' ? 1 : 0 },
    record,
    outputShape: input.shape,
  };
}

/** WGSL: what each row's loss is multiplied by in the gradient. */
export const UPSTREAM = 'quotient(f32(dy[row * uniforms.dyStep]), f32(divisor[0]))';

/** WGSL: whether a row is ignored. */
export const IGNORED = 'labels[row] == uniforms.ignoreIndex';

/** WGSL: the factor of a class. */
export const weightOf = (weight: TensorInfo, c: string) => (weight.shape[0] > 0 ? `f32(weight[${c}])` : '1.0');

/** WGSL of a loss's `finish` for labels; `body` has the `label`, its weight `w`, and its element `x[at]`. */
export const finishLabel = (weight: TensorInfo, body: string) => /* wgsl */ `
fn finish(row: i32, state: vec4<f32>) -> vec4<f32> {
  if (row == 0) { sums.z = state.w; }
  if (${IGNORED}) { return vec4<f32>(0.0, 1.0, 0.0, 0.0); }
  let label = labels[row];
  let isClass = label >= 0 && label < uniforms.classes;
  let known = select(0, label, isClass);
  // NaN for a label that is no class, so that its loss cannot pass for right.
  let w = select(uniforms.NAN, ${weightOf(weight, 'known')}, isClass);
  let at = firstOf(row) + known * uniforms.inner;
  ${body}
}
`;
