import * as tf from '@tensorflow/tfjs';
import { h } from '../dom';
import { decimals } from '../format';
import { language, t } from '../messages';
import { layPage } from '../page';
import { codeOf } from './code';
import { figureOf } from './figure';
import { ARTICLE, fromQuery, LIMITS, resize, type Settings, toQuery } from './settings';
import { slips } from './slips';
import { gradientStage, inputStage, logStage, lossStage, nllStage, softmaxStage } from './stages';

const text = t.explain;
const main = layPage('explain', text.title, text.lead);
await tf.setBackend('cpu');

let settings = fromQuery(new URLSearchParams(location.search));

const controls = h('form', {
  class: 'controls',
  'aria-label': text.controls,
  onsubmit: (event: Event) => event.preventDefault(),
});
const input = h('div', { class: 'stage-place' });
const results = h('div', { class: 'stage-places' });
const figure = h('section', { class: 'figure', 'aria-label': text.title }, input, results);
const spoken = h('p', { class: 'visually-hidden', role: 'status' });
const code = h('div', { class: 'code-pair' });

main.append(
  controls,
  figure,
  spoken,
  slips((dim) => set({ ...ARTICLE, dim })),
  h('section', {}, h('h2', {}, text.code), h('p', {}, text.codeLead), code),
);

/** Takes other settings over: all of the page is drawn anew, but for the control that is being used. */
function set(next: Settings, keep: 'controls' | 'input' | null = null): void {
  settings = next;
  const query = toQuery(settings);
  query.set('lang', language);
  history.replaceState(null, '', `?${query}`);
  draw(keep);
}

function draw(keep: 'controls' | 'input' | null): void {
  const figure = figureOf(settings);
  if (keep !== 'controls') drawControls();
  if (keep !== 'input') input.replaceChildren(inputStage(settings, (next) => set(next, 'input')));
  results.replaceChildren(
    softmaxStage(settings, figure),
    logStage(settings, figure),
    nllStage(settings, figure),
    lossStage(settings, figure),
    gradientStage(settings, figure),
  );
  code.replaceChildren(...codeOf(settings, figure.loss));
  spoken.textContent = text.now(decimals(figure.loss));
}

function drawControls(): void {
  const { logits, weight, labelSmoothing, ignoreIndex, reduction, dim } = settings;
  const [rows, classes] = [logits.length, logits[0].length];
  const smoothingValue = h('output', { for: 'smoothing' }, labelSmoothing.toFixed(2));
  const choice = <T extends string>(
    label: string,
    id: string,
    chosen: T,
    options: Record<T, string>,
    take: (value: T) => Settings,
  ) =>
    h(
      'p',
      { class: 'field' },
      h('label', { for: id }, label),
      h(
        'select',
        { id, onchange: (event: Event) => set(take((event.target as HTMLSelectElement).value as T), 'controls') },
        ...Object.entries<string>(options).map(([value, name]) =>
          h('option', { value, selected: value === chosen }, name),
        ),
      ),
    );
  const stepper = (
    label: string,
    count: number,
    [least, most]: readonly [number, number],
    take: (count: number) => Settings,
  ) => {
    const button = (sign: string, name: string, next: number) =>
      h(
        'button',
        {
          type: 'button',
          class: 'small',
          'aria-label': name,
          disabled: next < least || next > most,
          onclick: () => {
            set(take(next));
            const again = [...controls.querySelectorAll('button')].find((b) => b.getAttribute('aria-label') === name);
            (again?.disabled ? again.parentElement!.querySelector<HTMLElement>('button:enabled') : again)?.focus();
          },
        },
        sign,
      );
    return h(
      'p',
      { class: 'field', role: 'group', 'aria-label': label },
      h('span', { class: 'label' }, label),
      h(
        'span',
        { class: 'stepper' },
        button('−', text.fewer(label), count - 1),
        h('output', {}, count),
        button('+', text.more(label), count + 1),
      ),
    );
  };
  controls.replaceChildren(
    choice(text.dim, 'dim', String(dim) as '0' | '1', { 1: text.dim1, 0: text.dim0 }, (value) => ({
      ...settings,
      dim: value === '0' ? 0 : 1,
    })),
    h(
      'p',
      { class: 'field' },
      h('label', { for: 'smoothing' }, text.smoothing),
      h(
        'span',
        { class: 'slider' },
        h('input', {
          id: 'smoothing',
          type: 'range',
          min: 0,
          max: 1,
          step: 0.01,
          value: labelSmoothing,
          disabled: dim === 0,
          oninput: (event: Event) => {
            const value = Number((event.target as HTMLInputElement).value);
            smoothingValue.textContent = value.toFixed(2);
            set({ ...settings, labelSmoothing: value }, 'controls');
          },
        }),
        smoothingValue,
      ),
    ),
    choice(
      text.ignore,
      'ignore',
      String(ignoreIndex),
      Object.fromEntries([['null', text.nothing], ...weight.map((_, c) => [String(c), text.class(c)])]),
      (value) => ({ ...settings, ignoreIndex: value === 'null' ? null : Number(value) }),
    ),
    choice(text.reduction, 'reduction', reduction, { mean: 'mean', sum: 'sum' }, (value) => ({
      ...settings,
      reduction: value,
    })),
    h(
      'fieldset',
      { class: 'field' },
      h('legend', {}, text.weights),
      h(
        'span',
        { class: 'weights' },
        ...weight.map((w, c) =>
          h('input', {
            type: 'number',
            min: 0,
            max: LIMITS.weight,
            step: 'any',
            value: w,
            'aria-label': text.weightOf(c),
            oninput: (event: Event) => {
              const { value, validity } = event.target as HTMLInputElement;
              if (value === '' || !validity.valid) return;
              set(
                { ...settings, weight: weight.map((_, k) => (k === c ? Number(value) : settings.weight[k])) },
                'controls',
              );
            },
          }),
        ),
      ),
    ),
    stepper(text.rows, rows, LIMITS.rows, (count) => resize(settings, count, classes)),
    stepper(text.classes, classes, LIMITS.classes, (count) => resize(settings, rows, count)),
    h('p', { class: 'field end' }, h('button', { type: 'button', onclick: () => set(ARTICLE) }, text.reset)),
  );
}

draw(null);
