import { h } from '../dom';
import { scientific } from '../format';
import { t } from '../messages';
import { sayReason } from '../messages/reasons';
import { layPage } from '../page';
import type { CheckMessage } from './messages';
import { type Environment, reportOf } from './report';
import { count, SUBJECTS, type Subject, type Tally, worstRight } from './verdict';

const text = t.check;
const environment: Environment = { ...__FACTS__, userAgent: navigator.userAgent };
/** Cases to run: this one of so many. */
let every = 1;
const casesToRun = () => Math.ceil(environment.cases / every);
const main = layPage('check', text.title, text.lead(environment.cases), text.why);

let tallies: Tally[] = SUBJECTS.map((subject) => ({ subject, state: 'waiting', verdicts: [] }));
let worker: Worker | undefined;
let stopped = false;

const button = h('button', { type: 'button', class: 'primary', onclick: () => (worker ? stop() : run()) }, text.run);
const extent = h(
  'select',
  {
    id: 'extent',
    onchange: () => {
      every = Number(extent.value);
      drawCards();
    },
  },
  h('option', { value: 1 }, text.all),
  h('option', { value: 10 }, text.tenth),
);
const status = h('p', { class: 'status', role: 'status' });
const cards = h('div', { class: 'cards' });
const report = h('textarea', {
  readonly: true,
  rows: 12,
  id: 'report',
  spellcheck: 'false',
  placeholder: text.nothingYet,
});
const copy = h('button', { type: 'button', disabled: true, onclick: copyReport }, text.copy);
main.append(
  h('section', { class: 'actions' }, h('label', { for: 'extent' }, text.cases), extent, button, status),
  h('section', { 'aria-label': text.title }, cards),
  h('section', { class: 'report' }, h('h2', {}, h('label', { for: 'report' }, text.report)), report, h('p', {}, copy)),
);
drawCards();

async function run(): Promise<void> {
  stopped = false;
  extent.disabled = true;
  tallies = SUBJECTS.map((subject) => ({ subject, state: 'waiting', verdicts: [] }));
  button.textContent = text.stop;
  button.classList.remove('primary');
  status.textContent = '';
  for (const [index, subject] of SUBJECTS.entries()) {
    if (stopped) break;
    await check(subject, (change) => {
      tallies[index] = { ...tallies[index], ...change };
      scheduleDraw();
    });
  }
  if (stopped) tallies = tallies.map((tally) => (tally.state === 'waiting' ? { ...tally, state: 'stopped' } : tally));
  drawCards();
  extent.disabled = false;
  button.textContent = text.again;
  button.classList.add('primary');
  report.value = reportOf(tallies, { ...environment, cases: casesToRun() });
  copy.disabled = false;
  const verdicts = tallies.flatMap(({ verdicts }) => verdicts);
  status.textContent = text.summary(count(verdicts, 'right'), verdicts.length, count(verdicts, 'beyond'));
}

let end: (() => void) | undefined;

function stop(): void {
  stopped = true;
  end?.();
}

/** Checks a subject in a worker of its own, so that nothing that one leaves behind can disturb another. */
function check(subject: Subject, set: (change: Partial<Tally>) => void): Promise<void> {
  return new Promise((resolve) => {
    const current = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker = current;
    const verdicts: Tally['verdicts'][number][] = [];
    const finish = (change: Partial<Tally>) => {
      current.terminate();
      worker = undefined;
      end = undefined;
      set(change);
      resolve();
    };
    end = () => finish({ state: 'stopped' });
    current.onmessage = ({ data }: MessageEvent<CheckMessage>) => {
      if (data.type === 'started') set({ state: 'running', device: data.device, halfFloats: data.halfFloats });
      else if (data.type === 'absent') finish({ state: 'absent', reason: data.reason });
      else if (data.type === 'done') finish({ state: 'done', seconds: data.seconds });
      else {
        verdicts.push(data.verdict);
        set({ verdicts });
      }
    };
    current.onerror = (event) => finish({ state: 'stopped', reason: event.message || 'noWorker' });
    current.postMessage({ subject, every });
  });
}

let drawing = false;
/** At most once a frame: verdicts come by the hundred. */
function scheduleDraw(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawCards();
  });
}

function drawCards(): void {
  const open = new Set([...cards.querySelectorAll('details[open]')].map((details) => details.id));
  cards.replaceChildren(...tallies.map((tally, i) => card(tally, `faults-${i}`, open.has(`faults-${i}`))));
}

function card(
  { subject, state, reason, device, halfFloats, seconds, verdicts }: Tally,
  id: string,
  open: boolean,
): HTMLElement {
  const name = subject.halfFloats ? text.halfFloats : subject.backend;
  const [right, wrong, beyond] = (['right', 'wrong', 'beyond'] as const).map((kind) => count(verdicts, kind));
  const worst = worstRight(verdicts);
  const faults = verdicts.filter(({ fault }) => fault);
  const [mark, label] =
    wrong > 0
      ? ['bad', text.failed]
      : state === 'done'
        ? ['good', text.passed]
        : [
            'neutral',
            { waiting: text.waiting, running: text.running, absent: text.absent, stopped: text.stopped, done: '' }[
              state
            ],
          ];
  const fact = (title: string, value: string) => h('div', {}, h('dt', {}, title), h('dd', {}, value));
  return h(
    'article',
    { class: `card subject ${state}` },
    h('h2', {}, name, h('span', { class: `badge ${mark}` }, label)),
    h('progress', {
      max: casesToRun(),
      value: verdicts.length,
      'aria-label': `${name}: ${text.agree(right, casesToRun())}`,
    }),
    h(
      'p',
      { class: 'agree' },
      verdicts.length > 0 ? text.agree(right, casesToRun()) : reason ? sayReason(reason, t) : '\u00a0',
    ),
    verdicts.length > 0 && reason ? h('p', { class: 'warning' }, sayReason(reason, t)) : null,
    h(
      'dl',
      { class: 'facts' },
      worst ? fact(text.worst, scientific(worst.error)) : null,
      worst && worst.allowed > 0 ? fact(text.allowed, scientific(worst.allowed)) : null,
      worst && worst.error > 0 ? fact(text.case, worst.name) : null,
      seconds !== undefined ? fact(text.took, `${seconds.toFixed(1)} s`) : null,
      device ? fact(text.device, device) : null,
    ),
    subject.halfFloats
      ? h('p', { class: 'note' }, text.halfFloatsNote, halfFloats?.infinities === false && ` ${text.noInfinities}`)
      : null,
    faults.length > 0
      ? h(
          'details',
          { id, open },
          h(
            'summary',
            {},
            [wrong > 0 && text.failures(wrong), beyond > 0 && text.beyondCount(beyond)].filter(Boolean).join(', '),
          ),
          h(
            'ul',
            { class: 'faults' },
            ...faults.map(({ name, kind, fault }) =>
              h(
                'li',
                {},
                h('strong', {}, name),
                kind === 'beyond' ? ` (${text.beyond})` : '',
                h('br'),
                h('span', { lang: 'en' }, fault),
              ),
            ),
          ),
        )
      : null,
  );
}

async function copyReport(): Promise<void> {
  try {
    await navigator.clipboard.writeText(report.value);
    status.textContent = text.copied;
  } catch {
    report.select(); // pages without https may not write to the clipboard
    status.textContent = text.copyByHand;
  }
}
