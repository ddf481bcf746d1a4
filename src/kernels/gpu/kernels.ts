import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView, rowShape } from '../../contract/class-view';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, LossOutputs, SoftmaxAttrs } from '../../contract/kernels';
import { type Code, dense, type Input, integers, type Named, numbers, piece, quads, valueIs, type Walk } from './code';
import type { Device, GpuBackend, Rows } from './device';
import { four, NO_WALK, walkChunks, walkClasses } from './walk';

/** All kernels, the same on every GPU. */
export function gpuKernels<Backend extends GpuBackend>(
  device: Device<Backend>,
): Omit<Kernels<Backend>, 'ScaleGradient' | 'LinearLogits' | 'LinearInputGrad' | 'LinearWeightGrad'> {
  /** Four numbers of each row, by way of states of its chunks where those are worth a pass of their own. */
  const reduce = (backend: Backend, rows: Rows, walk: Walk, finish: Code) => {
    const view = classView(rows.shape, rows.dim);
    const chunk = walk === NO_WALK ? view.classes : device.chunkOf(view);
    const chunks = Math.ceil(view.classes / chunk);
    if (chunks === 1) return device.reduce(backend, rows, walk, finish, chunk, 1);
    const states = device.reduce(backend, rows, walk, FINISH_STATE, chunk, chunks);
    const record = device.reduce(backend, rows, walkChunks(states), finish, chunks, 1);
    backend.disposeData(states.dataId);
    return record;
  };

  /** One pass over the rows of `x` for two terms of each, and another one for their elements. */
  const softmaxKernel =
    (x: 'x' | 'y', terms: string, value: string, coefficients?: string) =>
    (tensors: object, { dim }: SoftmaxAttrs, backend: Backend): TensorInfo => {
      const { [x]: input, dy } = tensors as Record<string, TensorInfo>;
      const rows = { shape: input.shape, dim };
      const inputs = { x: dense(input), ...(coefficients && { y: dense(dy) }) };
      const finish = piece(`vec4f finish(i32 row, vec4f s) { return vec4f(${terms}, 0., 0.); }`);
      const record = reduce(backend, rows, walkClasses(inputs, coefficients), finish);
      const result = device.map(backend, rows, valueIs(value, inputs), quads(record));
      backend.disposeData(record.dataId);
      return result;
    };

  const lossKernel =
    (softmax: boolean) =>
    (inputs: LossInputs, attrs: LossAttrs, backend: Backend): LossOutputs => {
      const { reduction, dim } = attrs;
      const { shape } = inputs.input;
      const { rows, ofIndices, x, targets, factor, coefficient } = lossOf(inputs, attrs);
      // The label's own coefficient is added where the row is finished.
      const k = four((part, c) => `coefficient(${c}, ${ofIndices ? '0.' : `y.${part}`}, 1.)`);
      const coefficients: [string?, Code[]?] = ofIndices && attrs.labelSmoothing === 0 ? [] : [k, [coefficient]];
      const walk = softmax ? walkClasses({ ...x, ...targets }, ...coefficients) : NO_WALK;
      // Where nobody wants the record, its first two columns are free for the stats.
      const isForLoss = attrs.wants === 'loss';
      const given = { ...x, ...targets };
      const finish = ofIndices ? finishLabel(softmax, given, factor, attrs.stats && isForLoss) : FINISH_PROBABILITIES;
      const record = reduce(backend, rows, walk, finish);
      const known =
        !attrs.stats || isForLoss ? record : device.reduce(backend, rows, NO_WALK, finishStats(given, record), 1, 1);
      /** The loss, and the divisor: a number, or tensor, unless nobody wants to know it. */
      const outputs = (loss: TensorInfo, divisor: number | TensorInfo, stats: TensorInfo[]): LossOutputs => {
        if (known !== record) backend.disposeData(known.dataId);
        if (isForLoss) {
          backend.disposeData(record.dataId);
          return [loss, ...stats] as LossOutputs;
        }
        const isNumber = typeof divisor === 'number';
        const by = isNumber ? backend.makeTensorInfo([], 'float32', Float32Array.of(divisor)) : divisor;
        return [loss, record, by, ...stats] as LossOutputs;
      };
      if (reduction === 'none') {
        const lossShape = rowShape(shape, dim);
        const column = (value: string, of: TensorInfo) => {
          const values = device.map(backend, { shape: [1, ...lossShape], dim: 0 }, valueIs(value, {}), quads(of));
          return { ...values, shape: lossShape };
        };
        const stats = attrs.stats ? [column('t.x', known), column('t.y', known)] : [];
        return outputs(column('t.z', record), 1, stats);
      }
      const count = classView(shape, dim).rows;
      const mean = reduction === 'mean';
      // PyTorch divides the likelihood and the smoothing each: 0 / 0 makes their sum NaN.
      const sum = mean && attrs.labelSmoothing > 0 ? 'select(sum.z, NAN, sum.w == 0.)' : 'sum.z';
      const expressions = mean ? [`quotient(${sum}, sum.w)`] : [sum];
      if (mean && ofIndices && attrs.wants !== 'loss') expressions.push('sum.w');
      const [loss, weights] = device.totals(backend, count, quads(record), expressions);
      const stats = attrs.stats ? device.totals(backend, count, quads(known), ['sum.x', 'sum.y']) : [];
      return outputs(loss, weights ?? (mean ? count : 1), stats);
    };

  const lossGradKernel =
    (softmax: boolean) =>
    (inputs: LossGradInputs, attrs: LossAttrs, backend: Backend): TensorInfo => {
      const { rows, ofIndices, x, targets, coefficient } = lossOf(inputs, attrs);
      const gradient = (y: string) => `${softmax ? 'times(t.y, expOf(x - t.x))' : 't.y'} - coefficient(c, ${y}, t.z)`;
      const value = ofIndices
        ? valueIs(`select(${gradient('select(0., 1., isLabel(row, c, t))')}, 0., t.w < 0.)`, softmax ? x : {}, [
            coefficient,
            device.isLabel(targets),
          ])
        : valueIs(gradient('y'), { ...x, ...targets }, [coefficient]);
      return device.map(backend, rows, value, prepareLoss(softmax, inputs, ofIndices ? targets : undefined));
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

/** What both losses and their gradients tell a shader: labels, or probabilities `y`. */
function lossOf({ input, target, weight }: LossInputs, attrs: LossAttrs) {
  const { dim, ignoreIndex, labelSmoothing, reduction } = attrs;
  const ofIndices = attrs.target === 'indices';
  const rows: Rows = {
    shape: input.shape,
    dim,
    ints: { ignoreIndex, dyStep: reduction === 'none' ? 1 : 0 },
    floats: { labelSmoothing },
  };
  const factor =
    weight.shape[0] > 0
      ? piece('f32 factorOf(i32 c) { return weightAt(c); }', { weight: numbers(weight) })
      : piece('f32 factorOf(i32 c) { return 1.; }');
  // k times that of -log p of a class: the probability, smoothed, times the weight. Where there are labels most classes
  // have none, and are not looked at.
  const coefficient = piece(
    /* glsl */ `
f32 coefficient(i32 c, f32 y, f32 k) {
  f32 q = y * (1. - labelSmoothing) + labelSmoothing / f32(classes);
  ${ofIndices ? 'if (q == 0.) { return 0.; }' : ''}
  return k * (q * factorOf(c));
}
`,
    {},
    [factor],
  );
  const targets: Named<Input> = ofIndices ? { labels: integers(target) } : { y: dense(target) };
  return { rows, ofIndices, x: { x: dense(input) }, targets, factor, coefficient };
}

const FINISH_STATE = piece('vec4f finish(i32 row, vec4f s) { return s; }');

/** `mass / sum` of a state, and of a coefficient `k` besides. Among logits of -Infinity alone, k * (max - x) shows it. */
const MASS_PER_SUM = piece(/* glsl */ `
f32 massPerSum(vec4f s, f32 k) {
  return select((k + s.w) / settled(s.y), 0., k == 0. && s.w == 0. && s.z == 0.);
}
`);

/** `-log p` of the label is `(max - x) + log(sum)`, in this order: exact for a row whose loss is almost 0. */
const finishLabel = (softmax: boolean, reads: Named<Input>, factor: Code, stats = false) =>
  piece(
    /* glsl */ `
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
  ${
    stats
      ? 'return vec4f(select(0., 1., c == label && xOf(row, c) == s.x && !isNaN(settled(s.y))), 1., loss, w);'
      : 'return vec4f(s.x, massPerSum(s, k), loss, w);'
  }`
      : 'return vec4f(0., 0., times(w, -xOf(row, c)), w);'
  }
}
`,
    reads,
    softmax ? [factor, MASS_PER_SUM] : [factor],
  );

/** `Stats` of a row, from its record. */
const finishStats = (reads: Named<Input>, record: TensorInfo) =>
  piece(
    /* glsl */ `
vec4f finish(i32 row, vec4f s) {
  i32 label = labelsAt(row);
  if (label == ignoreIndex) { return vec4f(0.); }
  i32 c = clamp(label, 0, classes - 1);
  vec4f r = recordAt(row);
  return vec4f(select(0., 1., c == label && xOf(row, c) == r.x && !isNaN(r.y)), 1., 0., 0.);
}
`,
    { ...reads, record: quads(record) },
  );

const FINISH_PROBABILITIES = piece(
  /* glsl */ `
vec4f finish(i32 row, vec4f s) { return vec4f(s.x, massPerSum(s, 0.), s.z + times(s.w, logOf(s.y)), 1.); }
`,
  {},
  [MASS_PER_SUM],
);

/** For the gradient `k * (mass * softmax - coefficients)`, with `k` the upstream gradient over the divisor. */
const prepareLoss = (softmax: boolean, { dy, record, divisor }: LossGradInputs, labels?: Named<Input>) =>
  piece(
    /* glsl */ `
vec4f prepare(i32 row) {
  ${
    labels
      ? `i32 label = labelsAt(row);
  if (label == ignoreIndex) { return vec4f(0., 0., 0., -1.); }
  i32 c = clamp(label, 0, classes - 1);`
      : ''
  }
  vec4f r = recordAt(row);
  f32 k = quotient(dyAt(row * dyStep), divisorAt(0));
  f32 scale = ${softmax ? 'k * r.y' : '0.'};
  return vec4f(r.x, ${labels ? 'select(NAN, scale, c == label), k, tag(c)' : 'scale, k, 0.'});
}
`,
    { record: quads(record), dy: numbers(dy), divisor: numbers(divisor), ...labels },
  );
