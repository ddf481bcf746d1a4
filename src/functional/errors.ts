/** `Expected x to be ..., got v.` */
export const expected = (name: string, what: string, got: unknown): TypeError =>
  new TypeError(`Expected ${name} to be ${what}, got ${describe(got)}.`);

/** A value as messages name it: never long, and never an error of its own. */
export function describe(x: unknown): string {
  if (x === null || typeof x === 'number') return String(x);
  return typeof x === 'object' ? `${x.constructor?.name ?? 'object'}` : typeof x;
}
