import { CLASSES } from './data';

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

/** How often each digit was taken for which: a row for each digit, a column for each reading. */
export function confusionTable(labels: Int32Array, predicted: Int32Array): string {
  const counts = Array.from({ length: CLASSES }, () => Array<number>(CLASSES).fill(0));
  labels.forEach((label, i) => {
    counts[label][predicted[i]]++;
  });
  const cells = (row: readonly (string | number)[]) => row.map((cell) => String(cell).padStart(5)).join('');
  return [
    `read as${cells([...counts.keys()])}    right`,
    ...counts.map((row, digit) => {
      const right = row[digit] / row.reduce((sum, count) => sum + count);
      // A dot for zero, so that the mistakes stand out.
      return `digit ${digit}${cells(row.map((count) => count || '.'))}  ${percent(right).padStart(7)}`;
    }),
  ].join('\n');
}
