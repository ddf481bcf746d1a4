import { type Contender, JS_PYTORCH, MODES } from './contender';
import { faultOf, type Problem, solve } from './problem';

type Nested = (number | Nested)[];

/** What we use of its tensors. */
interface JsTensor {
  readonly data: Nested;
  readonly grad: Nested;
  reshape(shape: number[]): JsTensor;
  transpose(a: number, b: number): JsTensor;
  backward(): void;
  zero_grad(): void;
}

/** A name that TypeScript does not follow: it comes without types. */
const NAME: string = JS_PYTORCH;

/** A contender of its own: plain JavaScript on nested arrays. */
export async function jsPytorchContender(problem: Problem): Promise<Contender> {
  const { shape, logits, targets } = problem;
  const { torch } = await import(NAME);
  const criterion = new torch.nn.CrossEntropyLoss();
  const [outer, classes, ...rest] = shape;
  const inner = rest.reduce((a, b) => a * b, 1);
  const data = nested(logits, [outer, classes, inner]);
  const constant: JsTensor = torch.tensor(data);
  const variable: JsTensor = torch.tensor(data, true);
  const target: JsTensor = torch.tensor(Array.from(targets));
  // It knows no class dimension but the last.
  const rows = (x: JsTensor) => (inner > 1 ? x.transpose(1, 2) : x).reshape([outer * inner, classes]);
  const forward = (): JsTensor => criterion.forward(rows(constant), target);
  const withGradient = (): JsTensor => {
    variable.zero_grad();
    const loss = criterion.forward(rows(variable), target);
    loss.backward();
    return loss;
  };
  return {
    name: JS_PYTORCH,
    modes: MODES,
    async check() {
      const [loss] = withGradient().data as number[];
      return faultOf({ loss, gradient: variable.grad.flat(2) as number[] }, solve(problem));
    },
    async time(mode, steps) {
      const step = mode === 'forward' ? forward : withGradient;
      const start = performance.now();
      for (let i = 0; i < steps; i++) step();
      return (performance.now() - start) / steps;
    },
  };
}

function nested(data: Float32Array, [size, ...rest]: number[]): Nested {
  if (rest.length === 0) return Array.from(data);
  const stride = data.length / size;
  return Array.from({ length: size }, (_, i) => nested(data.subarray(i * stride, (i + 1) * stride), rest));
}
