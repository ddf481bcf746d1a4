import { math } from '../dom';

const i = (text: string) => math('mi', {}, text);
const o = (text: string) => math('mo', {}, text);
const n = (text: string) => math('mn', {}, text);
const row = (...children: Element[]) => math('mrow', {}, ...children);
const sub = (base: Element, index: Element) => math('msub', {}, base, index);
const sum = (index: Element) => math('munder', {}, o('∑'), index);
const exponential = (power: Element) => math('msup', {}, i('e'), power);
const fraction = (above: Element, below: Element) => math('mfrac', {}, above, below);
const formula = (...children: Element[]) => math('math', { display: 'block' }, ...children);
const x = (row: string, column: string) => sub(i('x'), math('mrow', {}, i(row), i(column)));
const at = (name: string, row: string, column: string) => sub(i(name), math('mrow', {}, i(row), i(column)));

/** The formulas beside the numbers, by stage; `dim` is the softmax's, `mean` whether the loss is one. */
export function formulaOf(stage: string, dim: 0 | 1, mean: boolean): Element | null {
  const [running, other] = dim === 1 ? (['n', 'k'] as const) : (['k', 'c'] as const);
  const total = row(sum(i('k')), exponential(x(running, other)));
  switch (stage) {
    case 'softmax':
      return formula(at('p', 'n', 'c'), o('='), fraction(exponential(x('n', 'c')), total));
    case 'logSoftmax':
      return formula(i('log'), o('⁡'), at('p', 'n', 'c'), o('='), x('n', 'c'), o('−'), i('log'), o('⁡'), total);
    case 'nll':
      return formula(
        sub(i('ℓ'), i('n')),
        o('='),
        o('−'),
        sub(i('w'), sub(i('t'), i('n'))),
        i('log'),
        o('⁡'),
        sub(i('p'), row(i('n'), sub(i('t'), i('n')))),
      );
    case 'loss': {
      const losses = row(sum(i('n')), sub(i('ℓ'), i('n')));
      const weights = row(sum(i('n')), sub(i('w'), sub(i('t'), i('n'))));
      return formula(i('L'), o('='), mean ? fraction(losses, weights) : losses);
    }
    case 'gradient': {
      if (dim === 0) return null;
      const pulled = row(at('p', 'n', 'c'), sum(i('k')), sub(i('w'), i('k')), at('q', 'n', 'k'));
      const asked = row(sub(i('w'), i('c')), at('q', 'n', 'c'));
      const difference = row(pulled, o('−'), asked);
      const byLogit = fraction(row(o('∂'), i('L')), row(o('∂'), x('n', 'c')));
      const weights = row(sum(i('n')), sub(i('w'), sub(i('t'), i('n'))));
      return formula(byLogit, o('='), mean ? fraction(difference, weights) : difference);
    }
    default:
      return null;
  }
}

/** What smoothing makes of a target: `q = (1 − ε)[c = t] + ε / C`. */
export const smoothingFormula = () =>
  formula(
    at('q', 'n', 'c'),
    o('='),
    row(o('('), n('1'), o('−'), i('ε'), o(')')),
    row(o('['), i('c'), o('='), sub(i('t'), i('n')), o(']')),
    o('+'),
    fraction(i('ε'), i('C')),
  );
