/** What a reader of the figure can set. */
export interface Settings {
  /** Rows of logits, one an example. */
  readonly logits: readonly (readonly number[])[];
  /** The class of each row. */
  readonly target: readonly number[];
  /** Along which dimension the softmax is taken: 1 is right, 0 is the article's slip. */
  readonly dim: 0 | 1;
  readonly labelSmoothing: number;
  /** A factor a class. */
  readonly weight: readonly number[];
  /** The class whose rows count nothing. */
  readonly ignoreIndex: number | null;
  readonly reduction: 'mean' | 'sum';
}

export const LIMITS = { rows: [1, 6], classes: [2, 7], logit: 100, weight: 100 } as const;

/** The matrix and the targets of the article. */
export const ARTICLE: Settings = {
  logits: [
    [1.1879, 1.078, 0.5312],
    [-0.3499, -1.9253, -1.5725],
    [-0.6578, -0.0987, 1.157],
  ],
  target: [0, 1, 2],
  dim: 1,
  labelSmoothing: 0,
  weight: [1, 1, 1],
  ignoreIndex: null,
  reduction: 'mean',
};

/** The part of a URL after `?`; what is as in the article is left out. */
export function toQuery(settings: Settings): URLSearchParams {
  const { logits, target, dim, labelSmoothing, weight, ignoreIndex, reduction } = settings;
  const query = new URLSearchParams();
  if (String(logits) !== String(ARTICLE.logits)) query.set('logits', logits.map((row) => row.join(',')).join(';'));
  if (String(target) !== String(ARTICLE.target)) query.set('target', target.join(','));
  if (dim !== 1) query.set('dim', String(dim));
  if (labelSmoothing !== 0) query.set('smoothing', String(labelSmoothing));
  if (weight.some((w) => w !== 1)) query.set('weight', weight.join(','));
  if (ignoreIndex !== null) query.set('ignore', String(ignoreIndex));
  if (reduction !== 'mean') query.set('reduction', reduction);
  return query;
}

/** Reads a URL. What it does not say, or says wrongly, is as in the article, or as fits the logits. */
export function fromQuery(query: URLSearchParams): Settings {
  const logits = readLogits(query.get('logits')) ?? ARTICLE.logits;
  const classes = logits[0].length;
  const isClass = (c: number) => Number.isInteger(c) && c >= 0 && c < classes;
  const list = (name: string, length: number, isValid: (x: number) => boolean) => {
    const values = query.get(name)?.split(',').map(number);
    return values?.length === length && values.every(isValid) ? values : null;
  };
  const ignoreIndex = number(query.get('ignore') ?? '');
  const labelSmoothing = number(query.get('smoothing') ?? '');
  return {
    logits,
    target: list('target', logits.length, isClass) ?? logits.map((_, row) => ARTICLE.target[row % 3] % classes),
    dim: query.get('dim') === '0' ? 0 : 1,
    labelSmoothing: labelSmoothing >= 0 && labelSmoothing <= 1 ? labelSmoothing : 0,
    weight: list('weight', classes, (w) => w >= 0 && w <= LIMITS.weight) ?? Array(classes).fill(1),
    ignoreIndex: isClass(ignoreIndex) ? ignoreIndex : null,
    reduction: query.get('reduction') === 'sum' ? 'sum' : 'mean',
  };
}

function readLogits(text: string | null): number[][] | null {
  const rows = text?.split(';').map((row) => row.split(',').map(number));
  if (!rows || !isWithin(rows.length, LIMITS.rows) || !isWithin(rows[0].length, LIMITS.classes)) return null;
  const isRight = (row: number[]) => row.length === rows[0].length && row.every((x) => Math.abs(x) <= LIMITS.logit);
  return rows.every(isRight) ? rows : null;
}

const isWithin = (count: number, [least, most]: readonly [number, number]) => count >= least && count <= most;

const number = (text: string) => (text.trim() === '' ? Number.NaN : Number(text));

/** The same with another number of rows or classes: the last ones go, new ones have logits of 0. */
export function resize(settings: Settings, rows: number, classes: number): Settings {
  const fit = <T>(list: readonly T[], length: number, fill: T) =>
    Array.from({ length }, (_, i) => (i < list.length ? list[i] : fill));
  const { logits, target, weight, ignoreIndex } = settings;
  return {
    ...settings,
    logits: fit(logits, rows, []).map((row) => fit(row, classes, 0)),
    target: fit(target, rows, 0).map((c) => Math.min(c, classes - 1)),
    weight: fit(weight, classes, 1),
    ignoreIndex: ignoreIndex !== null && ignoreIndex < classes ? ignoreIndex : null,
  };
}
