import { h, svg } from '../dom';
import { decimals } from '../format';
import { t } from '../messages';
import type { Figure } from './figure';
import { formulaOf, smoothingFormula } from './formulas';
import { LIMITS, type Settings } from './settings';

const text = t.explain;
type StageName = keyof typeof text.stages;

/** A step of the figure: what it is called, its formula, and its numbers. */
function stage(number: number, name: StageName, formula: Element | null, ...contents: (Node | null)[]): HTMLElement {
  const [title, words] = text.stages[name];
  return h(
    'section',
    { class: `stage ${name}` },
    h('h2', {}, h('span', { class: 'number', 'aria-hidden': 'true' }, number), title),
    h('p', { class: 'words' }, words),
    formula && h('div', { class: 'formula' }, formula),
    ...contents,
  );
}

/** The rows and classes of a stage as a table. */
function matrix(settings: Settings, caption: string, cell: (row: number, c: number) => HTMLElement): HTMLElement {
  const { logits } = settings;
  return h(
    'table',
    { class: 'matrix' },
    h('caption', { class: 'visually-hidden' }, caption),
    h('thead', {}, h('tr', {}, h('td', {}), ...logits[0].map((_, c) => h('th', { scope: 'col' }, text.class(c))))),
    h(
      'tbody',
      {},
      ...logits.map((row, n) =>
        h(
          'tr',
          { class: rowClass(settings, n) },
          h('th', { scope: 'row' }, text.row(n)),
          ...row.map((_, c) => cell(n, c)),
        ),
      ),
    ),
  );
}

const isIgnored = ({ target, ignoreIndex }: Settings, row: number) => target[row] === ignoreIndex;
const rowClass = (settings: Settings, row: number) => (isIgnored(settings, row) ? 'ignored' : '');

/** A number over its bar. */
function barCell(value: number, bar: Element, picked: boolean): HTMLElement {
  return h('td', { class: picked ? 'picked' : '' }, bar, h('span', { class: 'value' }, decimals(value)));
}

const HEIGHT = 52;
const WIDTH = 30;

/**
 * A bar from the line at `zero` (0 is the bottom, 1 the top) that is `share` of the height long, up or down. Where signs
 * matter the two have colors of their own.
 */
function bar(share: number, zero: number, { mark, signed }: { mark?: number; signed?: boolean } = {}): SVGSVGElement {
  const length = Number.isFinite(share) ? Math.min(1, Math.abs(share)) * HEIGHT : 0;
  const line = (1 - zero) * HEIGHT;
  return svg(
    'svg',
    { class: 'bar', viewBox: `0 0 ${WIDTH} ${HEIGHT + 2}`, 'aria-hidden': 'true', preserveAspectRatio: 'none' },
    svg('rect', {
      class: signed && share < 0 ? 'negative' : 'positive',
      x: 4,
      width: WIDTH - 8,
      y: 1 + (share < 0 ? line : line - length),
      height: length,
      rx: 2,
    }),
    svg('line', { class: 'axis', x1: 0, x2: WIDTH, y1: 1 + line, y2: 1 + line }),
    mark !== undefined &&
      svg('line', { class: 'mark', x1: 0, x2: WIDTH, y1: 1 + line - mark * HEIGHT, y2: 1 + line - mark * HEIGHT }),
  );
}

const largest = (values: readonly (readonly number[])[]) =>
  Math.max(1e-12, ...values.flat().filter(Number.isFinite).map(Math.abs));

/** The editable logits, and a target for each row. */
export function inputStage(settings: Settings, set: (settings: Settings) => void): HTMLElement {
  let latest = settings;
  const logitBar = (x: number) => bar((x / largest(latest.logits)) * 0.5, 0.5);
  const bars = settings.logits.map((row) => row.map(logitBar));
  const drawBars = () =>
    latest.logits.forEach((row, n) => {
      row.forEach((x, c) => {
        const next = logitBar(x);
        bars[n][c].replaceWith(next);
        bars[n][c] = next;
      });
    });
  const take = (next: Partial<Settings>) => {
    latest = { ...latest, ...next };
    drawBars();
    set(latest);
  };
  const table = h(
    'table',
    { class: 'matrix input' },
    h('caption', { class: 'visually-hidden' }, text.stages.logits[0]),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('td', {}),
        ...settings.logits[0].map((_, c) => h('th', { scope: 'col' }, text.class(c))),
        h('th', { scope: 'col', class: 'target-head' }, text.target),
      ),
    ),
    h(
      'tbody',
      {},
      ...settings.logits.map((row, n) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, text.row(n)),
          ...row.map((x, c) =>
            h(
              'td',
              { class: settings.target[n] === c ? 'picked' : '' },
              bars[n][c],
              h('input', {
                type: 'number',
                step: 'any',
                min: -LIMITS.logit,
                max: LIMITS.logit,
                value: x,
                'aria-label': text.logitOf(n, c),
                oninput: (event: Event) => {
                  const { value, validity } = event.target as HTMLInputElement;
                  if (value === '' || !validity.valid) return;
                  const logits = latest.logits.map((r, i) =>
                    i === n ? r.map((old, k) => (k === c ? Number(value) : old)) : r,
                  );
                  take({ logits });
                },
              }),
            ),
          ),
          h(
            'td',
            {},
            h(
              'select',
              {
                'aria-label': text.targetOf(n),
                onchange: (event: Event) => {
                  const chosen = Number((event.target as HTMLSelectElement).value);
                  (event.target as Element)
                    .closest('tr')!
                    .querySelectorAll('td')
                    .forEach((cell, c) => {
                      cell.classList.toggle('picked', c === chosen);
                    });
                  take({ target: latest.target.map((old, i) => (i === n ? chosen : old)) });
                },
              },
              ...row.map((_, c) => h('option', { value: c, selected: settings.target[n] === c }, c)),
            ),
          ),
        ),
      ),
    ),
  );
  return stage(1, 'logits', null, table);
}

export function softmaxStage(settings: Settings, { softmax, asked }: Figure): HTMLElement {
  const { dim, target, labelSmoothing } = settings;
  return stage(
    2,
    'softmax',
    formulaOf('softmax', dim, true),
    matrix(settings, text.stages.softmax[0], (n, c) =>
      barCell(
        softmax[n][c],
        bar(softmax[n][c], 0, { mark: dim === 1 && !isIgnored(settings, n) ? asked[n][c] : undefined }),
        target[n] === c,
      ),
    ),
    dim === 1 && labelSmoothing > 0 ? h('div', { class: 'formula aside' }, smoothingFormula()) : null,
  );
}

export function logStage(settings: Settings, { logSoftmax }: Figure): HTMLElement {
  const most = largest(logSoftmax);
  return stage(
    3,
    'logSoftmax',
    formulaOf('logSoftmax', settings.dim, true),
    matrix(settings, text.stages.logSoftmax[0], (n, c) =>
      barCell(logSoftmax[n][c], bar(logSoftmax[n][c] / most, 1), settings.target[n] === c),
    ),
  );
}

/** A row of the figure a line: what it pays. */
export function nllStage(settings: Settings, { picked, nllRows, rows }: Figure): HTMLElement {
  const { target, weight, dim, labelSmoothing } = settings;
  const smoothed = dim === 1 && labelSmoothing > 0;
  const most = largest([nllRows, rows]);
  const weighted = weight.some((w) => w !== 1);
  const line = (n: number) => {
    const ignored = isIgnored(settings, n);
    const working = `−${weighted ? `${weight[target[n]]} × ` : ''}(${decimals(picked[n])})`;
    const share = (value: number) => Math.min(1, Math.max(0, value / most));
    const track = (value: number, name: string) =>
      svg(
        'svg',
        { class: `track ${name}`, viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        svg('rect', { width: 100 * share(value), height: 8, rx: 1.5 }),
      );
    return h(
      'li',
      { class: rowClass(settings, n) },
      h('span', { class: 'who' }, text.row(n)),
      h('span', { class: 'working' }, ignored ? text.ignored : working),
      h('span', { class: 'value' }, decimals(nllRows[n])),
      track(nllRows[n], 'own'),
      smoothed && h('span', { class: 'working' }, text.smoothed),
      smoothed && h('span', { class: 'value' }, decimals(rows[n])),
      smoothed && track(rows[n], 'smoothed'),
    );
  };
  return stage(
    4,
    'nll',
    formulaOf('nll', dim, true),
    h('ul', { class: 'row-losses' }, ...picked.map((_, n) => line(n))),
  );
}

export function lossStage(settings: Settings, figure: Figure): HTMLElement {
  const { dim, reduction, labelSmoothing } = settings;
  const { rows, divisor, loss, nll, live } = figure;
  const mean = reduction === 'mean';
  const terms = rows.map((row) => (row < 0 ? `(${decimals(row)})` : decimals(row))).join(' + ');
  const working = mean ? `(${terms}) / ${Number(divisor.toFixed(4))}` : terms;
  const name = dim === 1 ? 'CrossEntropyLoss(x, t)' : 'NLLLoss(LogSoftmax(dim=0)(x), t)';
  const remarks = [
    dim === 0 && text.wrongDim,
    dim === 1 && (labelSmoothing > 0 ? text.differs(decimals(nll)) : text.same),
    mean && !live.includes(true) && text.allIgnored,
  ].filter((remark) => remark !== false);
  return stage(
    5,
    'loss',
    formulaOf('loss', dim, mean),
    h('p', { class: 'working' }, working),
    h('p', { class: 'result' }, h('code', { class: 'name' }, name), h('strong', {}, decimals(loss))),
    ...remarks.map((remark) =>
      h('p', { class: dim === 0 || Number.isNaN(loss) ? 'remark warning' : 'remark' }, remark),
    ),
  );
}

export function gradientStage(settings: Settings, { gradient }: Figure): HTMLElement {
  const most = largest(gradient);
  const { dim, reduction, target } = settings;
  return stage(
    6,
    'gradient',
    formulaOf('gradient', dim, reduction === 'mean'),
    matrix(settings, text.stages.gradient[0], (n, c) =>
      barCell(gradient[n][c], bar((gradient[n][c] / most) * 0.5, 0.5, { signed: true }), target[n] === c),
    ),
  );
}
