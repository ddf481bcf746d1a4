import { availableBackends, BACKENDS, type Backend } from '../backends';
import { h, svg } from '../dom';
import { bytes, decimals, milliseconds, percent } from '../format';
import { t } from '../messages';
import { sayReason } from '../messages/reasons';
import { layPage } from '../page';
import { curve } from './curve';
import type { LossName, Progress, TrainMessage, TrainRequest } from './messages';
import { drawingPad } from './pad';
import { toMnist } from './pen';

const text = t.train;
const LABELS: Record<LossName, string> = { ours: 'tfjs-cross-entropy', theirs: 'tf.losses' };
const main = layPage('train', text.title, text.lead);
const available = await availableBackends();

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const ask = (request: TrainRequest) => worker.postMessage(request);

let training = false;
let ready = false;
let image: Float32Array | null = null;

const lossCurve = curve(text.loss, LABELS, (value) => decimals(value, 1));
const accuracyCurve = curve(text.accuracy, LABELS, (value) => `${Math.round(100 * value)}%`, 1);
const status = h('p', { class: 'status', role: 'status' }, text.preparing);
const startButton = h('button', { type: 'button', class: 'primary', disabled: true, onclick: toggle }, text.start);
const resetButton = h('button', { type: 'button', disabled: true, onclick: reset }, text.reset);
const both = h('input', {
  type: 'checkbox',
  id: 'both',
  disabled: true,
  'aria-describedby': 'both-help',
  onchange: reset,
});
const first: Backend = available.includes('wasm') ? 'wasm' : 'cpu';
const choices = BACKENDS.map((backend) =>
  h(
    'label',
    { class: available.includes(backend) ? '' : 'absent' },
    h('input', {
      type: 'radio',
      name: 'backend',
      value: backend,
      checked: backend === first,
      disabled: !available.includes(backend),
      onchange: () => {
        status.textContent = text.preparing;
        ask({ type: 'backend', backend });
      },
    }),
    backend,
  ),
);
const runs = h('table', { class: 'runs' });
const prediction = h('div', { class: 'prediction' });
const reading = h('p', { class: 'reading', role: 'status' }, text.blank);
const pad = drawingPad((ink) => {
  image = toMnist(ink);
  read();
});

main.append(
  h(
    'form',
    { class: 'controls', onsubmit: (event: Event) => event.preventDefault() },
    h('fieldset', { class: 'field' }, h('legend', {}, text.backend), h('div', { class: 'choices' }, ...choices)),
    h(
      'div',
      { class: 'field' },
      h('span', { class: 'choices one' }, both, h('label', { for: 'both' }, text.sideBySide)),
      h('span', { class: 'note', id: 'both-help' }, text.sideBySideHelp),
    ),
    h('div', { class: 'field end' }, h('div', { class: 'choices' }, startButton, resetButton)),
  ),
  h(
    'div',
    { class: 'train' },
    h(
      'section',
      { class: 'card curves', 'aria-label': text.loss },
      status,
      lossCurve.element,
      accuracyCurve.element,
      runs,
    ),
    h(
      'section',
      { class: 'card draw', 'aria-label': text.draw },
      h('h2', {}, text.draw),
      pad.canvas,
      h(
        'div',
        { class: 'choices' },
        h('button', { type: 'button', onclick: pad.wipe }, text.wipe),
        h('button', { type: 'button', onclick: () => ask({ type: 'sample' }) }, text.sample),
      ),
      reading,
      prediction,
      h('p', { class: 'note', id: 'pad-help' }, text.drawHelp),
    ),
  ),
);

worker.onmessage = ({ data }: MessageEvent<TrainMessage>) => {
  if (data.type === 'ready') {
    ready = true;
    for (const control of [startButton, resetButton, both]) control.disabled = false;
    say();
    readAgain();
  } else if (data.type === 'progress') {
    if (ready) progress(data.progress); // else it is of before a reset
  } else if (data.type === 'reading') {
    expectReadings(unread - 1);
    show(data.probabilities);
  } else if (data.type === 'sample') {
    pad.show(data.image);
    image = data.image;
    truth = data.label;
    readAgain();
  } else fail(data.reason);
};
worker.onerror = ({ message }) => fail(message || 'noWorker');
ask({ type: 'backend', backend: first });

function fail(reason: string): void {
  training = false;
  expectReadings(0);
  startButton.textContent = text.start;
  status.textContent = text.failed(sayReason(reason, t));
}

function say(): void {
  status.textContent = training ? text.training : latest.step > 0 ? text.paused : text.ready;
}

function toggle(): void {
  training = !training;
  ask({ type: training ? 'train' : 'pause' });
  startButton.textContent = training ? text.pause : text.start;
  say();
}

function reset(): void {
  clear();
  ready = false;
  ask({ type: 'reset', sideBySide: both.checked });
}

interface Latest {
  step: number;
  runs: Partial<Record<LossName, { loss?: number; accuracy?: number }>>;
}
let latest: Latest = { step: 0, runs: {} };

function clear(): void {
  training = false;
  latest = { step: 0, runs: {} };
  startButton.textContent = text.start;
  for (const one of [lossCurve, accuracyCurve]) one.clear();
  drawRuns(both.checked ? ['ours', 'theirs'] : ['ours']);
  say();
}

function progress({ step, losses, accuracies, times, peaks }: Progress): void {
  latest.step = step;
  lossCurve.add(step, losses);
  accuracyCurve.add(step, accuracies);
  const names = Object.keys(losses) as LossName[];
  for (const name of names) {
    latest.runs[name] = {
      loss: losses[name] ?? latest.runs[name]?.loss,
      accuracy: accuracies[name] ?? latest.runs[name]?.accuracy,
    };
  }
  drawRuns(names, times, peaks);
  const { loss, accuracy } = latest.runs.ours ?? {};
  if (loss !== undefined) lossCurve.describe(text.chart(text.loss, decimals(loss), step));
  if (accuracy !== undefined) accuracyCurve.describe(text.chart(text.accuracy, percent(accuracy), step));
  if (Object.keys(accuracies).length > 0) readAgain();
}

/** A column for each loss, so that two fit any screen. */
function drawRuns(names: readonly LossName[], times: Progress['times'] = {}, peaks: Progress['peaks'] = {}): void {
  const line = (title: string, value: (name: LossName) => string | number | undefined) =>
    h('tr', {}, h('th', { scope: 'row' }, title), ...names.map((name) => h('td', {}, value(name) ?? '–')));
  const shown = <T>(value: T | undefined, format: (value: T) => string) =>
    value === undefined ? undefined : format(value);
  runs.replaceChildren(
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col' }, text.run),
        ...names.map((name) => h('th', { scope: 'col', class: name }, LABELS[name])),
      ),
    ),
    h(
      'tbody',
      {},
      line(text.step, (name) => latest.runs[name] && latest.step),
      line(text.loss, (name) => shown(latest.runs[name]?.loss, decimals)),
      line(text.accuracy, (name) => shown(latest.runs[name]?.accuracy, percent)),
      line(text.stepTime, (name) => shown(times[name]?.median, milliseconds)),
      line(text.peak, (name) =>
        shown(peaks[name], ({ bytes: count, onGpu }) => (onGpu ? `${bytes(count)} ${text.onGpu}` : bytes(count))),
      ),
    ),
  );
}

/** What a held-out digit that is shown really is. */
let truth: number | null = null;

/** Images that the worker has yet to read. */
let unread = 0;

function expectReadings(count: number): void {
  unread = Math.max(0, count);
  prediction.ariaBusy = String(unread > 0);
}

function read(): void {
  truth = null;
  readAgain();
}

function readAgain(): void {
  if (image && ready) {
    expectReadings(unread + 1);
    ask({ type: 'read', image });
  } else if (!image) {
    reading.textContent = text.blank;
    prediction.replaceChildren();
  }
}

function show(probabilities: Float32Array): void {
  if (!image) return;
  const best = probabilities.indexOf(Math.max(...probabilities));
  const words = [text.reads(best, percent(probabilities[best])), truth !== null && text.itIs(truth)]
    .filter(Boolean)
    .join(' ');
  if (reading.textContent !== words) reading.textContent = words;
  prediction.replaceChildren(
    h(
      'table',
      { class: 'digits' },
      h('caption', { class: 'visually-hidden' }, text.prediction),
      h(
        'tbody',
        {},
        ...Array.from(probabilities, (probability, digit) =>
          h(
            'tr',
            { class: digit === best ? 'best' : '' },
            h('th', { scope: 'row' }, digit),
            h(
              'td',
              {},
              svg(
                'svg',
                { class: 'track', viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
                svg('rect', { width: 100 * probability, height: 8 }),
              ),
            ),
            h('td', {}, percent(probability)),
          ),
        ),
      ),
    ),
  );
}

drawRuns(['ours']);
