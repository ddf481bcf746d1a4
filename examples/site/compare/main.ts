import type { Mode } from '../../../bench/contender';
import { availableBackends, BACKENDS, type Backend, whyAbsent } from '../backends';
import { h, svg } from '../dom';
import { bytes, digits3, milliseconds } from '../format';
import { t } from '../messages';
import { sayReason } from '../messages/reasons';
import { layPage } from '../page';
import type { CompareMessage } from './messages';
import { type Row, rowsOf } from './rows';

const text = t.compare;
const SHAPES = [
  [128, 10],
  [256, 1000],
  [64, 8192],
  [16, 50257],
  [4, 21, 64, 64],
];

const main = layPage('compare', text.title, text.lead);
const available = await availableBackends();
const reasons = await Promise.all(BACKENDS.map(whyAbsent));

const boxes = BACKENDS.map((backend) =>
  h('input', {
    type: 'checkbox',
    value: backend,
    checked: available.includes(backend),
    disabled: !available.includes(backend),
  }),
);
const shapeChoice = h(
  'select',
  { id: 'shape' },
  ...SHAPES.map((shape, i) => h('option', { value: i, selected: i === 1 }, shape.join(' × '))),
);
const modeChoice = h(
  'select',
  { id: 'mode' },
  h('option', { value: 'gradient' }, text.gradient),
  h('option', { value: 'forward' }, text.forward),
);
const button = h('button', { class: 'primary' }, text.run);
const status = h('p', { class: 'status', role: 'status' });
const results = h('section', { class: 'results', 'aria-label': text.title });

main.append(
  h(
    'form',
    { class: 'controls', onsubmit: submit },
    h(
      'fieldset',
      { class: 'field' },
      h('legend', {}, text.backends),
      h(
        'div',
        { class: 'choices' },
        ...BACKENDS.map((backend, i) =>
          h(
            'label',
            { class: reasons[i] ? 'absent' : '', title: reasons[i] && sayReason(reasons[i], t) },
            boxes[i],
            backend,
          ),
        ),
      ),
    ),
    h('p', { class: 'field' }, h('label', { for: 'shape' }, text.shape), shapeChoice),
    h('p', { class: 'field' }, h('label', { for: 'mode' }, text.mode), modeChoice),
    h('p', { class: 'field end' }, button),
  ),
  status,
  results,
  h('p', { class: 'note' }, text.note),
);

let stop: (() => void) | undefined;

async function submit(event: Event): Promise<void> {
  event.preventDefault();
  if (stop) return stop();
  const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value as Backend);
  if (chosen.length === 0) {
    status.textContent = text.nothing;
    return;
  }
  button.textContent = text.stop;
  button.classList.remove('primary');
  results.replaceChildren();
  const shape = SHAPES[Number(shapeChoice.value)];
  let stopped = false;
  for (const backend of chosen) {
    stopped = await compare(backend, shape, modeChoice.value as Mode);
    if (stopped) break;
  }
  status.textContent = stopped ? text.stopped : text.done;
  button.textContent = text.run;
  button.classList.add('primary');
}

/** Shows one backend's results. Gives whether the reader stopped it. */
function compare(backend: Backend, shape: readonly number[], mode: Mode): Promise<boolean> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    const finish = (stopped: boolean) => {
      worker.terminate();
      stop = undefined;
      resolve(stopped);
    };
    stop = () => finish(true);
    status.textContent = text.checking(backend);
    worker.onmessage = ({ data }: MessageEvent<CompareMessage>) => {
      if (data.type === 'sample') {
        status.textContent = text.timing(backend, data.count);
        return;
      }
      const caption = text.caption(backend, shape.join(' × '));
      results.append(
        data.type === 'results'
          ? tableOf(caption, data.device, rowsOf(data.results))
          : h('p', { class: 'warning' }, `${caption}: ${sayReason(data.reason, t)}`),
      );
      finish(false);
    };
    worker.onerror = ({ message }) => {
      results.append(h('p', { class: 'warning' }, `${backend}: ${message || t.reasons.noWorker}`));
      finish(false);
    };
    worker.postMessage({ backend, shape, mode });
  });
}

function tableOf(caption: string, device: string, rows: readonly Row[]): HTMLElement {
  const onGpu = rows.some(({ programs }) => programs !== undefined);
  const heads = [text.contender, text.time, text.ratio, ...(onGpu ? [text.programs] : []), text.memory];
  return h(
    'div',
    { class: 'card scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    h(
      'table',
      { class: 'bars', role: 'table' },
      h('caption', {}, caption, device ? h('span', { class: 'device' }, device) : null),
      h(
        'thead',
        { role: 'rowgroup' },
        h('tr', { role: 'row' }, ...heads.map((head) => h('th', { scope: 'col', role: 'columnheader' }, head))),
      ),
      h('tbody', { role: 'rowgroup' }, ...rows.map((row) => line(row, onGpu))),
    ),
  );
}

function line(
  { name, ours, time, ratio, bar, programs, bytes: peak, fault, omitted }: Row,
  onGpu: boolean,
): HTMLElement {
  const spread = time && `${digits3(time.lower)} – ${digits3(time.upper)}`;
  return h(
    'tr',
    { class: ours ? 'ours' : '', role: 'row' },
    h(
      'th',
      { scope: 'row', role: 'rowheader' },
      h('span', { class: 'name' }, name),
      bar ? barOf(bar) : null,
      ...[fault && text.wrong(fault), omitted && text.omitted(omitted)].map(
        (remark) => remark && h('span', { class: 'remark warning' }, remark),
      ),
    ),
    h(
      'td',
      { role: 'cell' },
      time ? h('strong', {}, milliseconds(time.median)) : '–',
      spread ? h('span', { class: 'spread' }, spread) : null,
    ),
    h('td', { class: 'ratio', role: 'cell' }, ours ? text.ours : ratio ? text.times(digits3(ratio)) : '–'),
    onGpu && h('td', { role: 'cell' }, programs ?? '–'),
    h('td', { role: 'cell' }, peak === undefined ? '–' : bytes(peak)),
  );
}

/** A bar to the median, with a whisker from quartile to quartile. */
function barOf({ median, lower, upper }: NonNullable<Row['bar']>): SVGSVGElement {
  const whisker = (x1: number, x2: number, y1: number, y2: number) =>
    svg('line', { class: 'whisker', x1: 100 * x1, x2: 100 * x2, y1, y2 });
  return svg(
    'svg',
    { class: 'track', viewBox: '0 0 100 12', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { width: Math.max(0.4, 100 * median), y: 1, height: 10 }),
    whisker(lower, upper, 6, 6),
    whisker(lower, lower, 3, 9),
    whisker(upper, upper, 3, 9),
  );
}
