import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../ops/class-view';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, LossOutputs } from '../../ops/contracts';
import type { Device, GpuBackend, Shader } from './device';
import { NO_WALK, walk } from './walk';

/** All kernels, the same on every GPU. */
export function gpuKernels<Backend extends GpuBackend>(device: Device<Backend>): Kernels<Backend> {
  /** One pass over the rows for what they have in common, and another one for their elements. */
  const softmaxKernel =
    (names: string[], terms: string, value: string, coefficient?: string) =>
    (inputs: object, { dim }: { dim: number }, backend: Backend): TensorInfo => {
      const tensors = inputs as Record<string, TensorInfo>;
      const dense = Object.fromEntries(names.map((name, i) => ['xy'[i], tensors[name]]));
      const shader = { shape: dense.x.shape, dim, dense };
      const finish = `vec4f finish(i32 row, vec4f s) { return vec4f(${terms}, 0., 0.); }`;
      const record = device.reduce(backend, { ...shader, walk: walk(coefficient), long: true, code: finish });
      const result = device.map(backend, { ...shader, record, code: TERMS_ARE_RECORD + valueOf(value) });
      backend.disposeData(record.dataId);
      return result;
    };

  const lossKernel =
    (softmax: boolean) =>
    (inputs: LossInputs, attrs: LossAttrs, backend: Backend): LossOutputs => {
      const { shader, ofIndices, weight, coefficients } = lossShader(inputs, attrs);
      const record = device.reduce(backend, {
        ...shader,
        walk: softmax ? walk(coefficients, ofIndices ? 'labelsAt(row) == ignoreIndex' : undefined) : NO_WALK,
        long: softmax,
        code: ofIndices ? finishLabel(weight, softmax ? '(k + s.w) / s.y' : '0.') : FINISH_PROBABILITIES,
      });
      const constant = (value: number) => backend.makeTensorInfo([], 'float32', Float32Array.of(value));
      const { reduction, dim, labelSmoothing } = attrs;
      const shape = rowShape(inputs.input.shape, dim);
      if (reduction === 'none') {
        const rows = { shape: [1, ...shape], dim: 0, dense: {}, record };
        const losses = device.map(backend, { ...rows, code: TERMS_ARE_RECORD + valueOf('t.z') });
        return [{ ...losses, shape }, record, constant(1)];
      }
      const { rows } = classView(inputs.input.shape, dim);
      const total = (mean: number, ofLosses: number, ofWeights: number) =>
        device.total(backend, record, rows, { mean, ofLosses, ofWeights, labelSmoothing }, OUTPUT);
      if (reduction === 'sum') return [total(0, 1, 0), record, constant(1)];
      if (!ofIndices) return [total(0, 1 / rows, 0), record, constant(rows)];
      return [total(1, 0, 0), record, total(0, 0, 1)];
    };

  const lossGradKernel =
    (softmax: boolean) =>
    (inputs: LossGradInputs, attrs: LossAttrs, backend: Backend): TensorInfo => {
      const { dy, divisor, record } = inputs;
      const { shader, ofIndices, coefficient } = lossShader(inputs, attrs);
      const terms = [
        softmax ? 't.y * expOf(x - t.x)' : 't.y',
        ...(softmax && coefficient ? [`t.w * ${coefficient}`] : []),
        ...(ofIndices ? ['select(0., t.z, f32(c) == label)'] : []),
      ].join(' - ');
      return device.map(backend, {
        ...shader,
        dense: softmax ? shader.dense : {},
        sparse: { ...shader.sparse, dy, divisor },
        record,
        floats: { ...shader.floats, dyStep: attrs.reduction === 'none' ? 1 : 0 },
        code:
          (ofIndices ? 'f32 labelOf(i32 row) { return labelsAt(row); }' : NO_LABEL) +
          prepareLoss(softmax ? 'k * r.y' : 'times(r.y, k)') +
          valueOf(ofIndices ? `select(${terms}, 0., label == ignoreIndex)` : terms),
      });
    };

  return {
    NLLLoss: lossKernel(false),
    NLLLossGrad: lossGradKernel(false),
    CrossEntropyLoss: lossKernel(true),
    CrossEntropyLossGrad: lossGradKernel(true),
    LogSoftmaxDim: softmaxKernel(['x'], 's.x, logOf(s.y)', 'x - t.x - t.y'),
    LogSoftmaxDimGrad: softmaxKernel(['x', 'dy'], 's.x, s.w / s.y', 'y - t.y * expOf(x - t.x)', 'yNext(c)'),
    SoftmaxDim: softmaxKernel(['x'], 's.x, 1. / s.y', 't.y * expOf(x - t.x)'),
    SoftmaxDimGrad: softmaxKernel(['y', 'dy'], '0., s.w', 'x * (y - t.y)', 'yNext(c) * x'),
  };
}

/** What both losses and their gradients tell a shader. */
function lossShader({ input, target, weight }: LossInputs, { dim, ignoreIndex, labelSmoothing }: LossAttrs) {
  const ofIndices = target.dtype === 'int32';
  const weighted = weight.shape[0] > 0;
  const shader: Omit<Shader, 'code'> = {
    shape: input.shape,
    dim,
    dense: ofIndices ? { x: input } : { x: input, y: target },
    sparse: { weight, ...(ofIndices && { labels: target }) },
    floats: { ignoreIndex, labelSmoothing },
  };
  /** The factor of `-log p` of each class: the probability, smoothed, times the weight. Indices have theirs apart. */
  const factor = (probability: string, weight: string) => {
    if (ofIndices && labelSmoothing === 0) return undefined;
    const smoothed = `${probability} * (1. - labelSmoothing) + labelSmoothing / f32(classes)`;
    return `(${ofIndices ? `${probability}` : smoothed})${weighted ? ` * ${weight}` : ''}`;
  };
  return {
    shader,
    ofIndices,
    weight: weighted ? 'weightAt(c)' : '1.',
    coefficient: factor(ofIndices ? EACH : 'y', 'weightAt(c)'),
    coefficients: factor(ofIndices ? `vec4f(${EACH})` : 'yNext(c)', `vec4f(${[0, 1, 2, 3].map((i) => `weightAt(c + ${i} * lanes)`).join(', ')})`),
  };
}

const EACH = 'labelSmoothing / f32(classes)';

/** `-log p` of the label is `(max - x) + log(sum)`, in this order: exact for a row whose loss is almost 0. */
const finishLabel = (weight: string, scale: string) => /* glsl */ `
vec4f finish(i32 row, vec4f s) {
  f32 label = labelsAt(row);
  if (label == ignoreIndex) { return vec4f(0.); }
  // NaN for a label that is no class, so that its loss cannot pass for right.
  bool known = label >= 0. && label < f32(classes);
  i32 c = i32(select(0., label, known));
  f32 w = select(NAN, ${weight}, known);
  f32 k = (1. - labelSmoothing) * w;
  f32 logSum = logOf(s.y);
  f32 loss = times(k, s.x - xOf(row, c) + logSum) + (s.z + times(s.w, logSum));
  return vec4f(s.x, select(NAN, ${scale}, known), loss, w);
}
`;

const FINISH_PROBABILITIES = /* glsl */ `
vec4f finish(i32 row, vec4f s) { return vec4f(s.x, s.w / s.y, s.z + times(s.w, logOf(s.y)), s.w); }
`;

/** PyTorch divides the likelihood and the smoothing each: 0 / 0 makes their sum NaN. */
const OUTPUT = /* glsl */ `
f32 outputOf(vec4f sum) {
  if (mean == 0.) { return times(ofLosses, sum.z) + times(ofWeights, sum.w); }
  if (labelSmoothing > 0. && sum.w == 0.) { return NAN; }
  return quotient(sum.z, sum.w);
}
`;

/** For the gradient `k * (mass * softmax - coefficients)`, with `k` the upstream gradient over the divisor. */
const prepareLoss = (scale: string) => /* glsl */ `
vec4f prepare(i32 row) {
  vec4f r = recordAt(row);
  f32 k = quotient(dyAt(row * i32(dyStep)), divisorAt(0));
  return vec4f(r.x, ${scale}, k * ((1. - labelSmoothing) * r.w), k);
}
`;

const NO_LABEL = 'f32 labelOf(i32 row) { return 0.; }';
const TERMS_ARE_RECORD = `vec4f prepare(i32 row) { return recordAt(row); } ${NO_LABEL}`;
const valueOf = (value: string) => `f32 value(vec4f t, f32 label, i32 c, f32 x, f32 y) { return ${value}; }`;
