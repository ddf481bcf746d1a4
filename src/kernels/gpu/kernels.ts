import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../contract/class-view';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, LossOutputs, SoftmaxAttrs } from '../../contract/kernels';
import { type Code, type Value, valueIs, type Walk } from './code';
import type { Device, GpuBackend, Input, Rows } from './device';
import { four, NO_WALK, WALK_CHUNKS, walkClasses } from './walk';

/** All kernels, the same on every GPU. */
export function gpuKernels<Backend extends GpuBackend>(
  device: Device<Backend>,
): Omit<Kernels<Backend>, 'ScaleGradient'> {
  /** A record of each row, by way of states of its chunks where those are worth a pass of their own. */
  const reduce = (backend: Backend, rows: Rows, walk: Walk, finish: Code) => {
    const view = classView(rows.shape, rows.dim);
    const chunk = walk === NO_WALK ? view.classes : device.chunkOf(view);
    const chunks = Math.ceil(view.classes / chunk);
    if (chunks === 1) return device.reduce(backend, rows, walk, finish, chunk, 1);
    const states = device.reduce(backend, rows, walk, FINISH_STATE, chunk, chunks);
    const inputs = { ...rows.inputs, states: quads(states) };
    const record = device.reduce(backend, { ...rows, inputs }, WALK_CHUNKS, finish, chunks, 1);
    backend.disposeData(states.dataId);
    return record;
  };

  /** One pass over the rows of `x` for the terms of each, and another one for their elements. */
  const softmaxKernel =
    (x: 'x' | 'y', walk: Walk, terms: string, value: Value) =>
    (tensors: object, { dim }: SoftmaxAttrs, backend: Backend): TensorInfo => {
      const { [x]: input, dy } = tensors as Record<string, TensorInfo>;
      const rows = { shape: input.shape, dim, inputs: { x: dense(input), y: dense(dy) } };
      const finish = { text: `vec4f finish(i32 row, vec4f s) { return vec4f(${terms}, 0., 0.); }` };
      const record = reduce(backend, rows, walk, finish);
      const result = device.map(backend, { ...rows, inputs: { ...rows.inputs, record: quads(record) } }, value);
      backend.disposeData(record.dataId);
      return result;
    };

  const lossKernel =
    (softmax: boolean) =>
    (inputs: LossInputs, attrs: LossAttrs, backend: Backend): LossOutputs => {
      const { reduction, dim, labelSmoothing } = attrs;
      const { shape } = inputs.input;
      const { rows, ofIndices, factor, coefficient } = lossOf(inputs, attrs);
      const k = four((part, c) => `coefficient(${c}, ${ofIndices ? '0.' : `y.${part}`}, 1.)`);
      const coefficients =
        ofIndices && labelSmoothing === 0 ? undefined : { k, takesY: !ofIndices, calls: [coefficient] };
      const record = reduce(
        backend,
        rows,
        softmax ? walkClasses(coefficients, ofIndices) : NO_WALK,
        ofIndices ? finishLabel(softmax, factor) : FINISH_PROBABILITIES,
      );
      const constant = (value: number) => backend.makeTensorInfo([], 'float32', Float32Array.of(value));
      const outputs = (loss: TensorInfo, divisor: () => TensorInfo): LossOutputs => {
        if (attrs.wants !== 'loss') return [loss, record, divisor()];
        backend.disposeData(record.dataId);
        return [loss];
      };
      if (reduction === 'none') {
        const lossShape = rowShape(shape, dim);
        const losses = { shape: [1, ...lossShape], dim: 0, inputs: { record: quads(record) } };
        return outputs({ ...device.map(backend, losses, LOSS_OF_ROW), shape: lossShape }, () => constant(1));
      }
      const count = classView(shape, dim).rows;
      const totals = (...uniforms: { ofWeights: number; mean: number }[]) =>
        device.totals(
          backend,
          count,
          record,
          uniforms.map((uniform) => ({ ...uniform, labelSmoothing })),
          OUTPUT,
        );
      const wanted = { ofWeights: 0, mean: reduction === 'mean' ? 1 : 0 };
      if (attrs.wants === 'loss' || !wanted.mean || !ofIndices) {
        return outputs(totals(wanted)[0], () => constant(wanted.mean ? count : 1));
      }
      const [loss, divisor] = totals(wanted, { ofWeights: 1, mean: 0 });
      return outputs(loss, () => divisor);
    };

  const lossGradKernel =
    (softmax: boolean) =>
    (inputs: LossGradInputs, attrs: LossAttrs, backend: Backend): TensorInfo => {
      const { rows, ofIndices, coefficient } = lossOf(inputs, attrs);
      const { dy, record, divisor } = inputs;
      const more = { dy: numbers(dy), record: quads(record), divisor: numbers(divisor) };
      const y = ofIndices ? 'select(0., 1., isLabel(row, c, t))' : 'y';
      const value = `${softmax ? 'times(t.y, expOf(x - t.x))' : 't.y'} - coefficient(c, ${y}, t.z)`;
      return device.map(
        backend,
        { ...rows, inputs: { ...rows.inputs, ...more } },
        valueIs(
          ofIndices ? `select(${value}, 0., t.w < 0.)` : value,
          [...(softmax ? ['x' as const] : []), ...(ofIndices ? [] : ['y' as const])],
          [coefficient, ...(ofIndices ? [device.isLabel()] : [])],
        ),
        prepareLoss(softmax, ofIndices),
      );
    };

  return {
    NLLLoss: lossKernel(false),
    NLLLossGrad: lossGradKernel(false),
    CrossEntropyLoss: lossKernel(true),
    CrossEntropyLossGrad: lossGradKernel(true),
    LogSoftmaxDim: softmaxKernel('x', walkClasses(), 's.x, logOf(s.y)', valueIs('x - t.x - t.y', ['x'])),
    LogSoftmaxDimGrad: softmaxKernel(
      'x',
      walkClasses({ k: 'y', takesY: true }),
      's.x, s.w / settled(s.y)',
      valueIs('y - t.y * expOf(x - t.x)', ['x', 'y']),
    ),
    SoftmaxDim: softmaxKernel('x', walkClasses(), 's.x, 1. / settled(s.y)', valueIs('t.y * expOf(x - t.x)', ['x'])),
    SoftmaxDimGrad: softmaxKernel(
      'y',
      walkClasses({ k: 'x * y', takesY: true }),
      '0., s.w',
      valueIs('x * (y - t.y)', ['x', 'y']),
    ),
  };
}

const input =
  (holds: Input['holds']) =>
  (tensor: TensorInfo): Input => ({ tensor, holds });
const dense = input('dense');
const quads = input('quads');
const numbers = input('numbers');

/** What both losses and their gradients tell a shader. */
function lossOf({ input: x, target, weight }: LossInputs, attrs: LossAttrs) {
  const { dim, ignoreIndex, labelSmoothing, reduction } = attrs;
  const ofIndices = attrs.target === 'indices';
  const rows: Rows = {
    shape: x.shape,
    dim,
    inputs: { x: dense(x), y: dense(target), labels: input('integers')(target), weight: numbers(weight) },
    ints: { ignoreIndex, dyStep: reduction === 'none' ? 1 : 0 },
    floats: { labelSmoothing },
  };
  const weighted = weight.shape[0] > 0;
  const factor: Code = {
    text: `f32 factorOf(i32 c) { return ${weighted ? 'weightAt(c)' : '1.'}; }`,
    reads: weighted ? ['weight'] : [],
  };
  // k times that of -log p of a class: the probability, smoothed, times the weight. Where there are labels most classes
  // have none, and are not looked at.
  const coefficient: Code = {
    text: /* glsl */ `
f32 coefficient(i32 c, f32 y, f32 k) {
  f32 q = y * (1. - labelSmoothing) + labelSmoothing / f32(classes);
  ${ofIndices ? 'if (q == 0.) { return 0.; }' : ''}
  return k * (q * factorOf(c));
}
`,
    calls: [factor],
  };
  return { rows, ofIndices, factor, coefficient };
}

const LOSS_OF_ROW = valueIs('t.z', []);

const FINISH_STATE: Code = { text: 'vec4f finish(i32 row, vec4f s) { return s; }' };

/** `mass / sum` of a state, and of a coefficient `k` besides. Among logits of -Infinity alone, k * (max - x) shows it. */
const MASS_PER_SUM: Code = {
  text: /* glsl */ `
f32 massPerSum(vec4f s, f32 k) {
  return select((k + s.w) / settled(s.y), 0., k == 0. && s.w == 0. && s.z == 0.);
}
`,
};

/** `-log p` of the label is `(max - x) + log(sum)`, in this order: exact for a row whose loss is almost 0. */
const finishLabel = (softmax: boolean, factor: Code): Code => ({
  text: /* glsl */ `
vec4f finish(i32 row, vec4f s) {
  i32 label = labelsAt(row);
  if (label == ignoreIndex) { return vec4f(0.); }
  // NaN for a label that is no class, so that its loss cannot pass for right.
  i32 c = clamp(label, 0, classes - 1);
  f32 w = select(NAN, factorOf(c), c == label);
  ${
    softmax
      ? `f32 k = (1. - labelSmoothing) * w;
  f32 logSum = logOf(s.y);
  f32 loss = times(k, s.x - xOf(row, c) + logSum) + (s.z + times(s.w, logSum));
  return vec4f(s.x, massPerSum(s, k), loss, w);`
      : 'return vec4f(0., 0., times(w, -xOf(row, c)), w);'
  }
}
`,
  reads: ['labels', 'x'],
  calls: [factor, ...(softmax ? [MASS_PER_SUM] : [])],
});

const FINISH_PROBABILITIES: Code = {
  text: /* glsl */ `
vec4f finish(i32 row, vec4f s) { return vec4f(s.x, massPerSum(s, 0.), s.z + times(s.w, logOf(s.y)), 1.); }
`,
  calls: [MASS_PER_SUM],
};

/** PyTorch divides the likelihood and the smoothing each: 0 / 0 makes their sum NaN. */
const OUTPUT: Code = {
  text: /* glsl */ `
f32 outputOf(vec4f sum) {
  f32 divisor = select(1., sum.w, mean > 0.);
  if (divisor == 0. && labelSmoothing > 0.) { return NAN; }
  return quotient(select(sum.z, sum.w, ofWeights > 0.), divisor);
}
`,
};

/** For the gradient `k * (mass * softmax - coefficients)`, with `k` the upstream gradient over the divisor. */
const prepareLoss = (softmax: boolean, ofIndices: boolean): Code => ({
  text: /* glsl */ `
vec4f prepare(i32 row) {
  ${
    ofIndices
      ? `i32 label = labelsAt(row);
  if (label == ignoreIndex) { return vec4f(0., 0., 0., -1.); }
  i32 c = clamp(label, 0, classes - 1);`
      : ''
  }
  vec4f r = recordAt(row);
  f32 k = quotient(dyAt(row * dyStep), divisorAt(0));
  f32 scale = ${softmax ? 'k * r.y' : '0.'};
  return vec4f(r.x, ${ofIndices ? 'select(NAN, scale, c == label), k, tag(c)' : 'scale, k, 0.'});
}
`,
  reads: ['record', 'dy', 'divisor', ...(ofIndices ? ['labels'] : [])],
});
