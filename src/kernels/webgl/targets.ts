import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { LossAttrs } from '../../ops/contracts';
import { flat, isHalf, type Part, quads, type WebGLBackend } from './backend';
import { HALF_LABEL_PART } from './constants';

/**
 * Runs `use` with the part of a shader that knows class indices: `float labelOf(int row)`, and `bool isIgnored(float label)`.
 */
export function withLabels(
  backend: WebGLBackend,
  target: TensorInfo,
  { ignoreIndex }: LossAttrs,
  use: (labels: Part) => TensorInfo,
): TensorInfo {
  const uniforms: Part['uniforms'] = { ignoreIndex: ['float', ignoreIndex] };
  const code = 'bool isIgnored(float label) { return label == ignoreIndex; }';
  const { values } = backend.texData.get(target.dataId);
  if (!isHalf() || values == null) {
    const labelOf = 'float labelOf(int row) { return targetValue(row); }';
    return use({ inputs: { target: flat(target) }, uniforms, code: code + labelOf });
  }
  const parts = new Float32Array(values.length * 4);
  for (let row = 0; row < values.length; row++) {
    const high = Math.floor(values[row] / HALF_LABEL_PART);
    parts.set([values[row] - high * HALF_LABEL_PART, high], row * 4);
  }
  const split = backend.makeTensorInfo([values.length, 2, 2], 'float32', parts);
  const labelOf = `
    float labelOf(int row) {
      vec4 parts = targetTexel(row);
      return parts.x + parts.y * float(${HALF_LABEL_PART});
    }`;
  const result = use({ inputs: { target: quads(split) }, uniforms, code: code + labelOf });
  backend.disposeIntermediateTensorInfo(split);
  return result;
}

/** `Lane weightsOf(Lane classes)`, and `float weightOf(float label)`: NaN for a label that is no class. */
export function weights(weight: TensorInfo): Part {
  const weighted = weight.shape[0] > 0;
  return {
    inputs: weighted ? { weight: flat(weight) } : {},
    code: `
      float weightsOf(float classes) { return ${weighted ? 'weightValue(int(classes))' : '1.'}; }
      vec2 weightsOf(vec2 classes) { return ${weighted ? 'weightTexel(int(classes.x) >> 1).xy' : 'vec2(1.)'}; }
      float weightOf(float label) {
        return label >= 0. && label < float(CLASSES) ? weightsOf(label) : NAN;
      }`,
  };
}

/** The shares of the target that are the label's, and every class's. */
export function smoothing({ labelSmoothing }: LossAttrs): Part {
  return {
    uniforms: { labelSmoothing: ['float', labelSmoothing] },
    code: `
      #define ON_LABEL (1. - labelSmoothing)
      #define ON_EACH (labelSmoothing / float(CLASSES))`,
  };
}
