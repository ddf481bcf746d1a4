/** With the four decimals that PyTorch prints, and a true minus sign. */
export function decimals(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** Milliseconds with three digits. */
export const milliseconds = (value: number): string => `${digits3(value)} ms`;

export function bytes(count: number): string {
  if (count < 1e3) return `${count} B`;
  return count < 1e6 ? `${digits3(count / 1e3)} kB` : `${digits3(count / 1e6)} MB`;
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

export const digits3 = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** Such as 3.1e-8. */
export const scientific = (value: number): string => (value === 0 ? '0' : value.toExponential(1));
