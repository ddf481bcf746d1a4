import type { TensorInfo } from '@tensorflow/tfjs-core';
import { classView } from '../../contract/class-view';
import type { Kernels, LossAttrs, LossGradInputs, LossInputs, LossOutputs, SoftmaxAttrs } from '../../contract/kernels';
import { again } from '../host/host';
import { knownValues } from '../known-values';
import { type Code, dense, type Input, integers, type Named, numbers, piece, quads, valueIs } from './code';
import type { Device, GpuBackend, Rows } from './device';
import { four, NO_WALK, walkClasses } from './walk';

/** All kernels, the same on every GPU. */
export function gpuKernels<Backend extends GpuBackend>(
  device: Device<Backend>,
): Omit<Kernels<Backend>, 'LinearLogits' | 'LinearInputGrad' | 'LinearWeightGrad'> {
  const softmaxKernel =
    (x: 'x' | 'y', terms: string, value: string, coefficients?: string) =>
    (tensors: object, { dim }: SoftmaxAttrs, backend: Backend): TensorInfo => {
      const { [x]: input, dy } = tensors as Record<string, TensorInfo>;
      const inputs = { x: dense(input), ...(coefficients && { y: dense(dy) }) };
      const finish = piece(`vec4f finish(i32 row, vec4f s) { return vec4f(${terms}, 0., 0.); }`);
      const walk = walkClasses(inputs, coefficients);
      return device.sweep(backend, { shape: input.shape, dim }, walk, finish, valueIs(value, inputs));
    };

  const lossKernel =
    (softmax: boolean) =>
    (inputs: LossInputs, attrs: LossAttrs, backend: Backend): LossOutputs => {
      const { reduction, dim, wants, stats } = attrs;
      const { shape } = inputs.input;
      const parts = lossOf(inputs, attrs);
      const { rows, ofIndices, x, targets, coefficient, weightOf } = parts;
      const given = { ...x, ...targets };
      // The label's own coefficient is added where the row is finished.
      const k = four((part, c) => `coefficient(${c}, ${ofIndices ? '0.' : `y.${part}`}, 1.)`);
      const coefficients: [string?, Code[]?] = ofIndices && attrs.labelSmoothing === 0 ? [] : [k, [coefficient]];
      const walk = softmax ? walkClasses(given, ...coefficients) : NO_WALK;
      // That of NLLLoss is not made along with it: its zeros are zeros whatever the upstream gradient is.
      const withGradient = softmax && wants === 'gradient' && reduction !== 'none';
      const kept = withGradient ? (stats ? 'tag and stats' : 'tag') : stats && wants === 'loss' ? 'stats' : 'record';
      const finish = ofIndices ? finishLabel(softmax, given, weightOf, kept) : FINISH_PROBABILITIES;
      const count = classView(shape, dim).rows;
      const mean = reduction === 'mean';
      // PyTorch divides the likelihood and the smoothing each: 0 / 0 makes their sum NaN.
      const sum = mean && attrs.labelSmoothing > 0 ? 'select(sum.z, NAN, sum.w == 0.)' : 'sum.z';
      const loss = mean ? `quotient(${sum}, sum.w)` : sum;
      const pass = { walk, finish, stats: stats && kept !== 'stats' ? statsOf(kept, given) : undefined };
      const ofStats = stats ? STATS : [];
      if (withGradient) {
        const divisor = !mean ? 1 : ofIndices ? weightOf : count;
        const value = gradientOf(device, softmax, parts);
        const [gradient, [total, ...counts]] = device.lossAndGradient(backend, rows, { ...pass, value, divisor }, [
          loss,
          ...ofStats,
        ]);
        return [total, gradient, ...counts] as LossOutputs;
      }
      const addsWeights = mean && ofIndices && wants !== 'loss';
      const expressions = [loss, ...(addsWeights ? ['sum.w'] : []), ...ofStats];
      const [record, [total, ...others]] = device.lossAndRecord(backend, rows, pass, expressions, reduction === 'none');
      if (wants === 'loss') {
        backend.disposeData(record.dataId);
        return [total, ...others] as LossOutputs;
      }
      const divisor = () => backend.makeTensorInfo([], 'float32', Float32Array.of(mean ? count : 1));
      return [total, record, ...(addsWeights ? [] : [divisor()]), ...others] as LossOutputs;
    };

  const lossGradKernel =
    (softmax: boolean) =>
    (inputs: LossGradInputs, attrs: LossAttrs, backend: Backend): TensorInfo => {
      const parts = lossOf(inputs, attrs);
      const prepare = prepareLoss(softmax, inputs, parts.ofIndices ? parts.targets : undefined);
      return device.map(backend, parts.rows, gradientOf(device, softmax, parts), prepare);
    };

  return {
    NLLLoss: lossKernel(false),
    NLLLossGrad: lossGradKernel(false),
    CrossEntropyLoss: lossKernel(true),
    CrossEntropyLossGrad: lossGradKernel(true),
    ScaleGradient({ gradient, dy, target }, attrs, backend) {
      if (knownValues(dy)?.every((k) => k === attrs.upstream)) return again(gradient, backend);
      const { rows, ofIndices, targets } = lossOf({ input: gradient, target, weight: NO_WEIGHT }, attrs);
      const tag = ofIndices ? 'select(tag(labelsAt(row)), -1., labelsAt(row) == ignoreIndex)' : '0.';
      const prepare = piece(`vec4f prepare(i32 row) { return vec4f(dyAt(row * dyStep), 0., 0., ${tag}); }`, {
        dy: numbers(dy),
        ...(ofIndices && targets),
      });
      // Times Infinity it is the difference of two numbers, NaN where both are Infinity: what has a coefficient.
      const ofLabels = ofIndices && attrs.labelSmoothing === 0;
      const hasCoefficient = ofLabels ? 'isLabel(row, c, t)' : 'true';
      const product = `select(x / upstream * t.x, NAN, isInfinite(t.x) && ${hasCoefficient})`;
      const calls = ofLabels ? [device.isLabel(targets)] : [];
      const value = valueIs(`select(${product}, 0., t.w < 0.)`, { x: dense(gradient) }, calls);
      return device.map(backend, rows, value, prepare, gradient);
    },
    LogSoftmaxDim: softmaxKernel('x', 's.x, logOf(s.y)', 'x - t.x - t.y'),
    LogSoftmaxDimGrad: softmaxKernel('x', 's.x, s.w / settled(s.y)', 'y - t.y * expOf(x - t.x)', 'y'),
    SoftmaxDim: softmaxKernel('x', 's.x, 1. / settled(s.y)', 't.y * expOf(x - t.x)'),
    SoftmaxDimGrad: softmaxKernel('y', '0., s.w', 'x * (y - t.y)', 'x * y'),
  };
}

const NO_WEIGHT = { shape: [0] } as TensorInfo;

/** What both losses and their gradients tell a shader: labels, or probabilities `y`. */
function lossOf({ input, target, weight }: LossInputs, attrs: LossAttrs) {
  const { dim, ignoreIndex, labelSmoothing, reduction, upstream } = attrs;
  const ofIndices = attrs.target === 'indices';
  const rows: Rows = {
    shape: input.shape,
    dim,
    ints: { ignoreIndex, dyStep: reduction === 'none' ? 1 : 0 },
    floats: { labelSmoothing, upstream },
  };
  const isWeighted = weight.shape[0] > 0;
  const factor = isWeighted
    ? piece('f32 factorOf(i32 c) { return weightAt(c); }', { weight: numbers(weight) })
    : piece('f32 factorOf(i32 c) { return 1.; }');
  // k times that of -log p of a class: the probability, smoothed, times the weight. Where there are labels most classes
  // have none, and their weights are not looked at.
  const coefficient = piece(
    /* glsl */ `
f32 coefficient(i32 c, f32 y, f32 k) {
  f32 q = y * (1. - labelSmoothing) + labelSmoothing / f32(classes);
  ${isWeighted && ofIndices ? 'if (q == 0.) { return 0.; }' : ''}
  return ${ofIndices && !isWeighted ? 'times(q, k)' : 'k * (q * factorOf(c))'};
}
`,
    {},
    [factor],
  );
  const targets: Named<Input> = ofIndices ? { labels: integers(target) } : { y: dense(target) };
  // NaN for a label that is no class, so that its loss cannot pass for right.
  const weightOf = piece(
    /* glsl */ `
f32 weightOf(i32 row) {
  i32 label = labelsAt(row);
  if (label == ignoreIndex) { return 0.; }
  i32 c = clamp(label, 0, classes - 1);
  return select(NAN, factorOf(c), c == label);
}
`,
    targets,
    [factor],
  );
  return { rows, ofIndices, x: { x: dense(input) }, targets, coefficient, weightOf };
}

/** An element of the gradient, given the terms of its row: the maximum, what exponentials are scaled by, `k`, and a tag. */
function gradientOf(
  device: Pick<Device<never>, 'isLabel'>,
  softmax: boolean,
  { ofIndices, x, targets, coefficient }: ReturnType<typeof lossOf>,
): Code {
  const gradient = (y: string) => `${softmax ? 'times(t.y, expOf(x - t.x))' : 't.y'} - coefficient(c, ${y}, t.z)`;
  return ofIndices
    ? valueIs(`select(${gradient('select(0., 1., isLabel(row, c, t))')}, 0., t.w < 0.)`, softmax ? x : {}, [
        coefficient,
        device.isLabel(targets),
      ])
    : valueIs(gradient('y'), { ...x, ...targets }, [coefficient]);
}

/** `mass / sum` of a state, and of a coefficient `k` besides. Among logits of -Infinity alone, k * (max - x) shows it. */
const MASS_PER_SUM = piece(/* glsl */ `
f32 massPerSum(vec4f s, f32 k) {
  return select((k + s.w) / settled(s.y), 0., k == 0. && s.w == 0. && s.z == 0.);
}
`);

/**
 * What is kept of a row: its record. Or, where nobody else gets to see it, the same with a tag of the label in place of
 * its weight, negative where the row is correct if that is to be known; or with its stats in place of the first two.
 */
type Kept = 'record' | 'tag' | 'tag and stats' | 'stats';

/** `-log p` of the label is `(max - x) + log(sum)`, in this order: exact for a row whose loss is almost 0. */
const finishLabel = (softmax: boolean, reads: Named<Input>, weightOf: Code, kept: Kept) =>
  piece(
    /* glsl */ `
vec4f finish(i32 row, vec4f s) {
  i32 label = labelsAt(row);
  if (label == ignoreIndex) { return vec4f(0., 0., 0., ${kept.startsWith('tag') ? '-1.' : '0.'}); }
  i32 c = clamp(label, 0, classes - 1);
  f32 w = weightOf(row);
  ${
    softmax
      ? `f32 k = (1. - labelSmoothing) * w;
  f32 logSum = logOf(s.y);
  f32 x = xOf(row, c);
  f32 loss = times(k, s.x - x + logSum) + (s.z + times(s.w, logSum));
  f32 high = select(s.x, NAN, isNaN(settled(s.y)));
  bool correct = c == label && x == high && !isNaN(high);
  return ${RECORDS[kept]};`
      : 'return vec4f(0., 0., times(w, -xOf(row, c)), w);'
  }
}
`,
    reads,
    softmax ? [weightOf, MASS_PER_SUM] : [weightOf],
  );

/** The expressions of `Stats`, of a sum of what `statsOf` gives. */
const STATS = ['sum.x', 'sum.y'];

const RECORDS: Record<Kept, string> = {
  record: 'vec4f(high, massPerSum(s, k), loss, w)',
  tag: 'vec4f(high, massPerSum(s, k), loss, tag(c))',
  'tag and stats': 'vec4f(high, massPerSum(s, k), loss, select(tag(c), -tag(c), correct))',
  stats: 'vec4f(select(0., 1., correct), 1., loss, w)',
};

/** Whether a row is correct, and whether it counts, in place of the first two numbers of its record, if they are not there. */
const statsOf = (kept: Kept, reads: Named<Input>) =>
  kept === 'tag and stats'
    ? piece(`vec4f statsOf(i32 row, vec4f r) {
  return vec4f(select(0., 1., r.w < -1.), select(1., 0., r.w == -1.), r.z, r.w);
}`)
    : piece(
        /* glsl */ `
vec4f statsOf(i32 row, vec4f r) {
  i32 label = labelsAt(row);
  if (label == ignoreIndex) { return vec4f(0., 0., r.z, r.w); }
  i32 c = clamp(label, 0, classes - 1);
  return vec4f(select(0., 1., c == label && xOf(row, c) == r.x && !isNaN(r.x)), 1., r.z, r.w);
}
`,
        reads,
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
