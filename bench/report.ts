import { MODES, type Mode, OURS, PYTORCH } from './contender';
import type { Result } from './measure';
import { TODAY } from './tfjs';

/** A result, and where it was measured: `node/cpu`, `chromium/webgl` ... */
export interface Row extends Result {
  readonly backend: string;
  readonly shape: readonly number[];
}

export interface Report {
  readonly date: string;
  readonly machine: string;
  readonly versions: Record<string, string>;
  /** What was left out, and why. */
  readonly absent: readonly string[];
  readonly rows: readonly Row[];
}

const TITLES: Record<Mode, string> = { forward: 'forward', gradient: 'forward with gradient' };

/** All figures as text, a table for each backend and mode, and a summary of the ratios. */
export function tables({ machine, versions, absent, rows }: Report): string {
  const environment = [machine, ...Object.entries(versions).map((entry) => entry.join(' '))].join(', ');
  const detailed = unique(rows.map(({ backend }) => backend)).flatMap((backend) =>
    MODES.map((mode) => {
      const own = rows.filter((row) => row.backend === backend && row.mode === mode);
      return `${backend}, ${TITLES[mode]}\n${table(
        HEAD,
        own.map((row) => line(row, oursBeside(row, rows))),
      )}`;
    }),
  );
  return [environment, ...absent.map((what) => `Absent: ${what}`), ...detailed, summary(rows)].join('\n\n');
}

const HEAD = ['shape', 'contender', 'ms', 'quartiles', 'x ours', 'extra bytes', 'on the GPU', 'programs', 'answer'];

function line({ shape, contender, time, cost, fault }: Row, ours: Row | undefined): string[] {
  const logits = 4 * shape.reduce((a, b) => a * b, 1);
  const bytes = (count?: number) => (count === undefined ? '' : `${size(count)} = ${(count / logits).toFixed(2)}x`);
  return [
    show(shape),
    contender,
    time ? number(time.median) : '-',
    time ? `${number(time.lower)} - ${number(time.upper)}` : '',
    time && ours?.time ? number(time.median / ours.time.median) : '',
    bytes(cost?.peakBytes),
    bytes(cost?.peakGpuBytes),
    String(cost?.programs ?? ''),
    fault ?? 'right',
  ];
}

/** How many times faster we are than today, and slower than PyTorch. */
function summary(rows: readonly Row[]): string {
  const ours = rows.filter(({ contender, time }) => contender === OURS && time);
  const lines = ours.map((row) => {
    const beside = rows.filter((other) => sameCell(row, other) && other.mode === row.mode && other.time);
    const today = beside.filter(({ contender }) => TODAY.includes(contender)).map(({ time }) => time!.median);
    const pytorch = beside.find(({ contender }) => contender === PYTORCH);
    const median = row.time!.median;
    return [
      row.backend,
      show(row.shape),
      TITLES[row.mode],
      number(median),
      today.length > 0 ? number(Math.min(...today) / median) : '',
      pytorch ? number(median / pytorch.time!.median) : '',
    ];
  });
  const head = ['backend', 'shape', 'mode', 'our ms', 'today / ours', 'ours / PyTorch'];
  return `Today is the faster of ${TODAY.join(' and ')}\n${table(head, lines)}`;
}

const sameCell = (a: Row, b: Row) => a.backend === b.backend && show(a.shape) === show(b.shape);

const oursBeside = (row: Row, rows: readonly Row[]) =>
  rows.find((other) => other.contender === OURS && other.mode === row.mode && sameCell(row, other));

export const show = (shape: readonly number[]): string => shape.join('x');

export const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

function number(x: number): string {
  return x >= 1000 ? x.toFixed(0) : x.toPrecision(3);
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${number(bytes / 1e3)} kB` : `${number(bytes / 1e6)} MB`;
}

function table(head: string[], lines: string[][]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((cells) => cells[column].length)));
  const rule = widths.map((width) => '-'.repeat(width));
  const text = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  return [head, rule, ...lines].map(text).join('\n');
}
