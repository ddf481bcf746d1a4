import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';
import { OURS } from './contender';
import { backendsOf, besides, type Report, show, unique } from './report';

const WIDTH = 860;
const MARGIN = 110;
const ROW = 18;
const COLORS = [
  '#d62728',
  '#1f77b4',
  '#17a2b8',
  '#9467bd',
  '#ff9896',
  '#7f7f7f',
  '#8c564b',
  '#2ca02c',
  '#f7b6d2',
  '#bcbd22',
];

/** The times of forward with gradient as an SVG: a dot a contender, a line for its quartiles, on a log scale. */
export function chart({ rows, machine, date, load }: Report): string {
  const { document } = new JSDOM('').window;
  const timed = rows.filter(({ mode, time }) => mode === 'gradient' && time);
  const contenders = unique(timed.map(({ contender }) => contender));
  const backends = backendsOf(timed);
  const dots = backends
    .flatMap((backend) => besides(timed, backend).map((row) => ({ ...row, backend })))
    .map(({ backend, shape, contender, time }) => ({ backend, shape: show(shape), contender, ...time! }))
    .sort((a, b) => Number(a.contender === OURS) - Number(b.contender === OURS)); // ours is drawn last
  const color = (name: string) => COLORS[contenders.indexOf(name) % COLORS.length];
  const shapes = unique(dots.map(({ shape }) => shape));
  const legend = 12 + 22 * Math.ceil(contenders.length / 3);
  const height = backends.length * (shapes.length + 1) * ROW + 70;
  const plot = Plot.plot({
    document,
    width: WIDTH,
    height,
    marginLeft: MARGIN,
    marginRight: MARGIN + 20,
    marginBottom: 44,
    style: { fontFamily: 'system-ui, sans-serif', fontSize: '12px' },
    x: {
      type: 'log',
      grid: true,
      label: 'milliseconds, log scale; less is better',
      tickFormat: ',~g',
      labelArrow: 'none',
    },
    y: { domain: shapes, label: null },
    fy: { domain: backends, label: null },
    marks: [
      Plot.frame({ stroke: '#ddd' }),
      Plot.ruleY(
        dots,
        Plot.groupY(
          { x1: 'min', x2: 'max' },
          { x1: 'median', x2: 'median', y: 'shape', fy: 'backend', stroke: '#ddd' },
        ),
      ),
      Plot.ruleY(dots, {
        x1: 'lower',
        x2: 'upper',
        y: 'shape',
        fy: 'backend',
        strokeWidth: 2.5,
        stroke: ({ contender }) => color(contender),
      }),
      Plot.dot(dots, {
        x: 'median',
        y: 'shape',
        fy: 'backend',
        r: ({ contender }) => (contender === OURS ? 5 : 4),
        fill: ({ contender }) => color(contender),
      }),
    ],
    r: { type: 'identity' },
    color: { type: 'identity' },
  });
  plot.setAttribute('y', String(legend));
  const entry = (name: string, i: number) =>
    `<circle cx="${MARGIN + 250 * (i % 3)}" cy="${18 + 22 * Math.floor(i / 3)}" r="5" fill="${color(name)}"/>` +
    `<text x="${MARGIN + 12 + 250 * (i % 3)}" y="${22 + 22 * Math.floor(i / 3)}">${name}</text>`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height + legend}" role="img" ` +
    `font-family="system-ui, sans-serif" font-size="13">\n` +
    `<title>Cross-entropy, forward with gradient: milliseconds by backend and shape (${machine}, ${date}${load.quiet ? '' : '; the machine was not quiet'})</title>\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${contenders.map(entry).join('\n')}\n${plot.outerHTML}\n</svg>\n`
  );
}
