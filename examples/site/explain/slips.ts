import { h } from '../dom';
import { decimals } from '../format';
import { t } from '../messages';
import { figureOf } from './figure';
import { ARTICLE } from './settings';

/** What the article prints where its own arithmetic gives ten times as much. */
const PRINTED = 0.1365;

/** The two numbers of the article that went astray, beside the right ones. */
export function slips(show: (dim: 0 | 1) => void): HTMLElement {
  const text = t.explain;
  const { picked, loss: overRows } = figureOf({ ...ARTICLE, dim: 0 });
  const { loss: overClasses } = figureOf(ARTICLE);
  const sum = `(${picked.map((logProb) => decimals(-logProb)).join(' + ')}) / ${picked.length}`;
  const card = (title: string, words: string, detail: string, wrong: number, right: number, dim: 0 | 1) =>
    h(
      'article',
      { class: 'card slip' },
      h('h3', {}, title),
      h('p', {}, words),
      h('p', { class: 'detail' }, h('code', {}, detail)),
      h(
        'dl',
        { class: 'versus' },
        h('div', {}, h('dt', {}, text.printed), h('dd', {}, h('del', {}, decimals(wrong)))),
        h('div', {}, h('dt', {}, text.right), h('dd', {}, h('ins', {}, decimals(right)))),
      ),
      h(
        'button',
        {
          type: 'button',
          onclick: () => {
            show(dim);
            const figure = document.querySelector('.figure')!;
            figure.scrollIntoView({
              behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth',
            });
          },
        },
        text.show,
      ),
    );
  return h(
    'section',
    {},
    h('h2', {}, text.slips),
    h('p', {}, text.slipsLead),
    h(
      'div',
      { class: 'cards' },
      card(text.slip1, text.slip1Text, sum, PRINTED, overRows, 0),
      card(
        text.slip2,
        text.slip2Text,
        'NLLLoss(log(Softmax(dim=0)(X)))  →  CrossEntropyLoss(X)',
        overRows,
        overClasses,
        1,
      ),
    ),
  );
}
