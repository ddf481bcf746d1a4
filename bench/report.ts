import { FRESH_ARRAY, MODES, type Mode, OURS, PYTORCH, TODAY } from './contender';
import { describe, type Load } from './load';
import { MIN_SAMPLES, type Result } from './measure';

export interface Row extends Result {
  readonly shape: readonly number[];
}

export interface Report {
  readonly date: string;
  readonly machine: string;
  readonly load: Load;
  readonly versions: Record<string, string>;
  /** Who was not there, and why. */
  readonly absent: readonly string[];
  readonly rows: readonly Row[];
}

const TITLES: Record<Mode, string> = { forward: 'forward', gradient: 'forward with gradient' };

/** All figures as text, a table for each backend and mode, and a summary of the ratios. */
export function tables(report: Report): string {
  const { load, absent, rows } = report;
  const detailed = backendsOf(rows).flatMap((backend) =>
    MODES.map((mode) => {
      const own = besides(rows, backend).filter((row) => row.mode === mode);
      return `${backend}, ${TITLES[mode]}\n${table(
        HEAD,
        own.map((row) => line(row, find(rows, { ...row, backend, contender: OURS }))),
      )}`;
    }),
  );
  return [
    `${environment(report)}\n${describe(load)}`,
    'All contenders of a runtime and shape took turns in one sitting: times of different sittings are not to be compared.',
    ...absent.map((what) => `Absent: ${what}`),
    ...detailed,
    summary(rows),
    ...(load.quiet ? [] : [describe(load)]), // where it is seen
  ].join('\n\n');
}

export const environment = ({ machine, versions, load }: Report): string =>
  [`${load.cpus} x ${machine}`, ...Object.entries(versions).map((entry) => entry.join(' '))].join(', ');

/** Reads what `--json` has written. */
export function readReport(json: string): Report {
  const report: Report = JSON.parse(json);
  for (const { backend, contender, shape, time } of report.rows) {
    if (time && time.samples < MIN_SAMPLES) {
      throw new Error(`${contender} on ${backend} at ${show(shape)} has ${time.samples} samples, which are too few`);
    }
  }
  return report;
}

/** The backends, without the runtimes of those who have none. */
export const backendsOf = (rows: readonly Row[]): string[] =>
  unique(rows.map(({ backend }) => backend)).filter((backend) => backend.includes('/'));

/** A backend's rows, and those of the same sittings that have no backend: PyTorch's, in Node. */
export const besides = (rows: readonly Row[], backend: string): Row[] =>
  rows.filter((row) => row.backend === backend || row.backend === backend.split('/')[0]);

type Key = Pick<Row, 'backend' | 'contender' | 'mode' | 'shape'>;

export const find = (rows: readonly Row[], { backend, contender, mode, shape }: Key): Row | undefined =>
  besides(rows, backend).find(
    (row) => row.contender === contender && row.mode === mode && show(row.shape) === show(shape),
  );

/** The faster of what TensorFlow.js has, or why there is no time of it. */
export function today(rows: readonly Row[], key: Key): Row | undefined {
  const found = TODAY.map((contender) => find(rows, { ...key, contender })).filter((row) => row !== undefined);
  const timed = found.filter(({ time }) => time).sort((a, b) => a.time!.median - b.time!.median);
  return timed[0] ?? found[0];
}

const HEAD = [
  'shape',
  'contender',
  'ms',
  'quartiles',
  'samples',
  'x ours',
  'extra bytes',
  'on the GPU',
  'programs',
  'answer',
];

function line({ shape, contender, time, omitted, cost, fault }: Row, ours: Row | undefined): string[] {
  const logits = 4 * shape.reduce((a, b) => a * b, 1);
  const bytes = (count?: number) => (count === undefined ? '' : `${size(count)} = ${(count / logits).toFixed(2)}x`);
  const answer = fault ?? (contender === FRESH_ARRAY ? '' : 'right');
  return [
    show(shape),
    contender,
    time ? number(time.median) : '-',
    time ? `${number(time.lower)} - ${number(time.upper)}` : '',
    String(time?.samples ?? ''),
    time && ours?.time ? number(time.median / ours.time.median) : '',
    bytes(cost?.peakBytes),
    bytes(cost?.peakGpuBytes),
    String(cost?.programs ?? ''),
    omitted ? `${answer}; ${omitted}` : answer,
  ];
}

/** How many times faster we are than today, and slower than PyTorch. */
function summary(rows: readonly Row[]): string {
  const ours = rows.filter(({ contender, time }) => contender === OURS && time);
  const lines = ours.map((row) => {
    const old = today(rows, row);
    const pytorch = find(rows, { ...row, contender: PYTORCH });
    const median = row.time!.median;
    return [
      row.backend,
      show(row.shape),
      TITLES[row.mode],
      number(median),
      old?.time ? number(old.time.median / median) : (old?.omitted ?? ''),
      pytorch?.time ? number(median / pytorch.time.median) : '',
    ];
  });
  const head = ['backend', 'shape', 'mode', 'our ms', 'today / ours', 'ours / PyTorch'];
  return `Today is the faster of ${TODAY.join(' and ')}\n${table(head, lines)}`;
}

export const show = (shape: readonly number[]): string => shape.join('x');

export const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

export function number(x: number): string {
  return x >= 1000 ? x.toFixed(0) : x.toPrecision(3);
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${number(bytes / 1e3)} kB` : `${number(bytes / 1e6)} MB`;
}

export function table(head: string[], lines: string[][], left = '', between = '  ', right = ''): string {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((cells) => cells[column].length)));
  const rule = widths.map((width) => '-'.repeat(width));
  const text = (cells: string[]) =>
    `${left}${cells.map((cell, column) => cell.padEnd(widths[column])).join(between)}${right}`.trimEnd();
  return [head, rule, ...lines].map(text).join('\n');
}
