import { FRESH_ARRAY, JAX, JS_PYTORCH, NANOGPT, OURS, OURS_UPSTREAM, PYTORCH } from './contender';
import { describe } from './load';
import type { Figure } from './measure';
import { backendsOf, environment, find, number, type Report, show, table, today, unique } from './report';

/** The tables of docs/performance.md, of the loss with its gradient. */
export function readmeTables(report: Report): string {
  const { rows, load, date } = report;
  const backends = backendsOf(rows);
  const nodes = backends.filter((backend) => backend.startsWith('node/'));
  const shapes = unique(rows.map(({ shape }) => show(shape))).map((shape) => shape.split('x').map(Number));
  const at = (backend: string, contender: string, shape: readonly number[]) =>
    find(rows, { backend, contender, mode: 'gradient', shape });
  const time = (backend: string, contender: string) => (shape: readonly number[]) => {
    const row = at(backend, contender, shape);
    return row?.time ? spread(row.time) : (row?.omitted ?? '');
  };

  const faster = (backend: string) => (shape: readonly number[]) => {
    const ours = at(backend, OURS, shape);
    const old = ours && today(rows, ours);
    return ours?.time && old?.time ? ratio(old.time, ours.time) : (old?.omitted ?? '');
  };
  const ofPyTorch = (backend: string) => (shape: readonly number[]) => {
    const [ours, pytorch] = [at(backend, OURS, shape), at(backend, PYTORCH, shape)];
    return ours?.time && pytorch?.time ? ratio(ours.time, pytorch.time) : '';
  };
  const ofPeer = (backend: string, peer: string) => (shape: readonly number[]) => {
    const [ours, theirs] = [at(backend, OURS, shape), at(backend, peer, shape)];
    if (theirs?.fault) return theirs.fault;
    return ours?.time && theirs?.time ? ratio(theirs.time, ours.time) : (theirs?.omitted ?? '');
  };
  const peers = backends.flatMap((backend) => [JS_PYTORCH, JAX, NANOGPT].map((peer) => [backend, peer] as const));
  const markdown = (title: string, lines: [string, (shape: readonly number[]) => string][]) =>
    table(
      [title, ...shapes.map((shape) => `(${shape.join(', ')})`)],
      lines.map(([name, cell]) => [name, ...shapes.map(cell)]),
      '| ',
      ' | ',
      ' |',
    );
  const upstream = nodes.map((backend) => [label(backend), at(backend, OURS_UPSTREAM, [256, 1000])?.time] as const);

  return [
    `${date}, ${environment(report)}; ${describe(load)}`,
    markdown(
      'today / ours',
      backends.map((backend) => [label(backend), faster(backend)]),
    ),
    markdown(
      'ours / PyTorch',
      nodes.map((backend) => [label(backend), ofPyTorch(backend)]),
    ),
    markdown(
      'peers / ours',
      peers
        .filter(([backend, peer]) => shapes.some((shape) => at(backend, peer, shape)))
        .map(([backend, peer]) => [`${peer}: ${label(backend)}`, ofPeer(backend, peer)]),
    ),
    markdown('milliseconds', [
      ...backends.map((backend) => [label(backend), time(backend, OURS)] as [string, ReturnType<typeof time>]),
      [`${PYTORCH}`, time('node/cpu', PYTORCH)],
      [FRESH_ARRAY, time('node/cpu', FRESH_ARRAY)],
    ]),
    `With an upstream of 128 at (256, 1000), in ms: ${upstream
      .map(([name, time]) => `${name} ${time ? spread(time) : '-'}`)
      .join('; ')}`,
  ].join('\n\n');
}

const label = (backend: string) => {
  const [runtime, name] = backend.split('/');
  return `${name}, ${runtime === 'node' ? 'Node' : 'Chromium'}`;
};

const spread = ({ median, lower, upper }: Figure) => `${number(median)} (${number(lower)}–${number(upper)})`;

/** Of the medians; the spread is what the quartiles make of it at most. */
const ratio = (a: Figure, b: Figure) =>
  spread({ ...a, median: a.median / b.median, lower: a.lower / b.upper, upper: a.upper / b.lower });
