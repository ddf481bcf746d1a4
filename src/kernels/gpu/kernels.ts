import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../contract/class-view';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, LossOutputs, SoftmaxAttrs } from '../../contract/kernels';
import type { Device, GpuBackend, Shader } from './device';
import { NO_WALK, WALK_CHUNKS, walkClasses } from './walk';

/** All kernels, the same on every GPU. */
export function gpuKernels<Backend extends GpuBackend>(
  device: Device<Backend>,
): Omit<Kernels<Backend>, 'ScaleGradient'> {
  /** A record of each row, by way of states of its chunks where those are worth a pass of their own. */
  const reduce = (backend: Backend, shader: Shader, finish: string, walk: string) => {
    const view = classView(shader.shape, shader.dim);
    const code = shader.code + finish;
    const chunk = walk === NO_WALK ? view.classes : device.chunkOf(view);
    const chunks = Math.ceil(view.classes / chunk);
    if (chunks === 1) return device.reduce(backend, { ...shader, code: code + walk }, chunk, 1);
    const states = device.reduce(backend, { ...shader, code: shader.code + walk + FINISH_STATE }, chunk, chunks);
    const inputs = { ...shader.inputs, states };
    const record = device.reduce(backend, { ...shader, inputs, code: code + WALK_CHUNKS }, chunks, 1);
    backend.disposeData(states.dataId);
    return record;
  };

  /** One pass over the rows for the terms of each, and another one for their elements. */
  const softmaxKernel =
    (x: 'x' | 'y', terms: string, value: string, coefficient = '') =>
    (tensors: object, { dim }: SoftmaxAttrs, backend: Backend): TensorInfo => {
      const { [x]: input, dy } = tensors as Record<string, TensorInfo>;
      const shader = {
        shape: input.shape,
        dim,
        inputs: { x: input, y: dy },
        code: coefficient && coefficientOf(`return ${coefficient};`),
      };
      const finish = `vec4f finish(i32 row, vec4f s) { return vec4f(${terms}, 0., 0.); }`;
      const record = reduce(backend, shader, finish, walkClasses('false', coefficient && 'yNext(c)'));
      const result = device.map(backend, { ...shader, inputs: { ...shader.inputs, record }, value });
      backend.disposeData(record.dataId);
      return result;
    };

  const lossKernel =
    (softmax: boolean) =>
    (inputs: LossInputs, attrs: LossAttrs, backend: Backend): LossOutputs => {
      const { reduction, dim, labelSmoothing } = attrs;
      const { shape } = inputs.input;
      const ofIndices = attrs.target === 'indices';
      const skipped = ofIndices ? 'labelsAt(row) == ignoreIndex' : 'false';
      const y = !ofIndices ? 'yNext(c)' : labelSmoothing > 0 ? 'vec4f(0.)' : '';
      const scale = softmax ? '(k + s.w) / settled(s.y)' : '0.';
      const finish = ofIndices ? finishLabel(scale) : FINISH_PROBABILITIES;
      const record = reduce(backend, lossShader(inputs, attrs), finish, softmax ? walkClasses(skipped, y) : NO_WALK);
      const constant = (value: number) => backend.makeTensorInfo([], 'float32', Float32Array.of(value));
      if (reduction === 'none') {
        const shape1 = rowShape(shape, dim);
        const losses = device.map(backend, {
          shape: [1, ...shape1],
          dim: 0,
          inputs: { record },
          code: '',
          value: 't.z',
        });
        return [{ ...losses, shape: shape1 }, record, constant(1)];
      }
      const { rows } = classView(shape, dim);
      const totals = (...uniforms: { ofWeights: number; mean: number }[]) =>
        device.totals(
          backend,
          rows,
          record,
          uniforms.map((uniform) => ({ ...uniform, labelSmoothing })),
          OUTPUT,
        );
      const wanted = { ofWeights: 0, mean: reduction === 'mean' ? 1 : 0 };
      if (attrs.wants === 'loss') {
        const [loss] = totals(wanted);
        backend.disposeData(record.dataId);
        return [loss];
      }
      if (reduction === 'sum') return [totals(wanted)[0], record, constant(1)];
      const [loss, divisor] = totals(wanted, { ofWeights: 1, mean: 0 });
      return [loss, record, divisor];
    };

  const lossGradKernel =
    (softmax: boolean) =>
    (inputs: LossGradInputs, attrs: LossAttrs, backend: Backend): TensorInfo => {
      const ofIndices = attrs.target === 'indices';
      const label = device.label();
      const y = ofIndices ? `select(0., 1., f32(c) == ${label})` : 'y';
      const value = `${softmax ? 't.y * expOf(x - t.x)' : 't.y'} - times(coefficient(c, 0., ${y}), t.z)`;
      return device.map(
        backend,
        { ...lossShader(inputs, attrs), value: ofIndices ? `select(${value}, 0., ${label} == ignoreIndex)` : value },
        prepareLoss(softmax ? 'k * r.y' : 'times(r.y, k)', ofIndices ? 'labelsAt(row)' : '0.'),
      );
    };

  return {
    NLLLoss: lossKernel(false),
    NLLLossGrad: lossGradKernel(false),
    CrossEntropyLoss: lossKernel(true),
    CrossEntropyLossGrad: lossGradKernel(true),
    LogSoftmaxDim: softmaxKernel('x', 's.x, logOf(s.y)', 'x - t.x - t.y'),
    LogSoftmaxDimGrad: softmaxKernel('x', 's.x, s.w / settled(s.y)', 'y - t.y * expOf(x - t.x)', 'y'),
    SoftmaxDim: softmaxKernel('x', 's.x, 1. / settled(s.y)', 't.y * expOf(x - t.x)'),
    SoftmaxDimGrad: softmaxKernel('y', '0., s.w', 'x * (y - t.y)', 'x * y'),
  };
}

/** What both losses and their gradients tell a shader. */
function lossShader(
  inputs: LossInputs,
  { dim, target: kind, ignoreIndex, labelSmoothing, reduction }: LossAttrs,
): Shader {
  const { input, target, weight } = inputs;
  return {
    shape: input.shape,
    dim,
    inputs: { ...inputs, x: input, y: target, labels: target },
    floats: { ignoreIndex, labelSmoothing, dyStep: reduction === 'none' ? 1 : 0 },
    // Of -log p of each class: the probability, smoothed, times the weight. Most classes have none where there are labels.
    code: `f32 factorOf(i32 c) { return ${weight.shape[0] > 0 ? 'weightAt(c)' : '1.'}; }
${coefficientOf(`
  f32 q = y * (1. - labelSmoothing) + labelSmoothing / f32(classes);
  ${kind === 'indices' ? 'if (q == 0.) { return 0.; }' : ''}
  return q * factorOf(c);`)}`,
  };
}

const coefficientOf = (body: string) => `f32 coefficient(i32 c, f32 x, f32 y) {${body}}\n`;

const FINISH_STATE = 'vec4f finish(i32 row, vec4f s) { return s; }';

/** `-log p` of the label is `(max - x) + log(sum)`, in this order: exact for a row whose loss is almost 0. */
const finishLabel = (scale: string) => /* glsl */ `
vec4f finish(i32 row, vec4f s) {
  f32 label = labelsAt(row);
  if (label == ignoreIndex) { return vec4f(0.); }
  // NaN for a label that is no class, so that its loss cannot pass for right.
  bool known = label >= 0. && label < f32(classes);
  i32 c = i32(select(0., label, known));
  f32 w = select(NAN, factorOf(c), known);
  f32 k = (1. - labelSmoothing) * w;
  f32 logSum = logOf(s.y);
  f32 loss = times(k, s.x - xOf(row, c) + logSum) + (s.z + times(s.w, logSum));
  return vec4f(s.x, select(NAN, ${scale}, known), loss, w);
}
`;

const FINISH_PROBABILITIES = /* glsl */ `
vec4f finish(i32 row, vec4f s) { return vec4f(s.x, s.w / settled(s.y), s.z + times(s.w, logOf(s.y)), 1.); }
`;

/** PyTorch divides the likelihood and the smoothing each: 0 / 0 makes their sum NaN. */
const OUTPUT = /* glsl */ `
f32 outputOf(vec4f sum) {
  f32 divisor = select(1., sum.w, mean > 0.);
  if (divisor == 0. && labelSmoothing > 0.) { return NAN; }
  return quotient(select(sum.z, sum.w, ofWeights > 0.), divisor);
}
`;

/** For the gradient `k * (mass * softmax - coefficients)`, with `k` the upstream gradient over the divisor. */
const prepareLoss = (scale: string, label: string) => /* glsl */ `
vec4f prepare(i32 row) {
  vec4f r = recordAt(row);
  f32 k = quotient(dyAt(row * i32(dyStep)), divisorAt(0));
  return vec4f(r.x, ${scale}, k, ${label});
}
`;
